#include "machine/parts/image_content.h"

#include "core/files.h"
#include "machine/parts/header_closure.h"
#include "machine/parts/shared_libraries.h"
#include "machine/parts/xen_tree.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> content_of(const std::string& text) {
  return {text.begin(), text.end()};
}

// The newest of usr/lib/xen-4.N: the package set holds one.
Result<fs::path> xen_directory(const fs::path& packages) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(packages / "usr" / "lib", error))
    if (entry.path().filename().string().starts_with("xen-4.") &&
        fs::is_directory(entry.path() / "bin", error))
      return entry.path();
  return fail({"cannot build Domain-0's image", "the Xen packages hold no toolstack",
               "run 'vtax lab fetch --refresh'", ExitCode::unavailable});
}

// Where cc1 is, in a folder that is named by GCC's version: the package set holds one.
Result<fs::path> gcc_directory(const fs::path& packages) {
  std::error_code error;
  for (const char* place : {"usr/lib/gcc/x86_64-linux-gnu", "usr/libexec/gcc/x86_64-linux-gnu"})
    for (const auto& entry : fs::directory_iterator(packages / place, error))
      if (!entry.is_symlink(error) && fs::is_regular_file(entry.path() / "cc1", error)) return entry.path();
  return fail({"cannot add a compiler to the lab's image", "the packages hold no cc1",
               "run 'vtax lab fetch --refresh'", ExitCode::unavailable});
}

// Every library that the programs need, through all levels, where the dynamic linker looks.
Result<> add_libraries(CpioArchive& image, const std::vector<fs::path>& programs, const fs::path& packages) {
  const auto libraries = library_closure(programs, packages);
  if (!libraries) return fail(libraries.error());
  auto wanted = libraries->found;
  std::string missing;
  for (const std::string& name : libraries->missing) missing += (missing.empty() ? "" : ", ") + name;
  // The C library loads it by itself when a thread ends.
  for (const fs::path& directory : {packages / "lib/x86_64-linux-gnu", packages / "usr/lib/x86_64-linux-gnu"})
    if (fs::exists(directory / "libgcc_s.so.1")) wanted["libgcc_s.so.1"] = directory / "libgcc_s.so.1";
  if (!wanted.contains("libgcc_s.so.1"))
    missing += (missing.empty() ? "" : ", ") + std::string("libgcc_s.so.1");
  if (!missing.empty())
    return fail({"cannot build the lab's image",
                 "the packages lack libraries that its programs need: " + missing,
                 "run 'vtax lab fetch --refresh'", ExitCode::unavailable});
  for (const auto& [name, file] : wanted) {
    const auto content = read_file(file);
    if (!content) return fail(content.error());
    image.file("usr/lib/x86_64-linux-gnu/" + name, *content, 0755);
    if (name == "ld-linux-x86-64.so.2") image.file("lib64/" + name, *content, 0755);
  }
  return {};
}

// Adds them as files; returns the list of their paths.
std::string add_modules(CpioArchive& image, const std::vector<Module>& modules) {
  std::string list;
  for (const Module& module : modules) {
    const std::string path = "lab/modules.d/" + module.name + ".ko";
    image.file(path, module.object);
    list += "/" + path;
    // Of itself null_blk makes a disk that keeps nothing, and VFIO gives nothing away where interrupts are
    // not remapped.
    if (module.name == "null_blk") list += " nr_devices=0";
    if (module.name == "vfio_iommu_type1") list += " allow_unsafe_interrupts=1";
    list += "\n";
  }
  return list;
}

// libcrc32c, which they need, finds its algorithm by name alone.
const std::vector<std::string> kNat = {"crc32c_generic", "nft_chain_nat", "nft_masq", "nft_nat"};

}  // namespace

std::vector<std::string> with_card(const Domain& domain, const ModuleTree& kernel) {
  std::vector<std::string> names = domain.optional;
  const LabCard* card = domain.has_card ? card_for(kernel) : nullptr;
  if (card != nullptr) names.insert(names.begin(), card->modules.begin(), card->modules.end());
  return names;
}

const Domain& first_domain(PlatformId kind) {
  static const Domain native = {"native", {"veth", "bridge"}, {"sch_tbf"}, kNat, {"null_blk"}, {}, {}, {}, {},
                                true};
  static const Domain dom0 = {
      "dom0",
      {"bridge", "xenfs", "xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-netback"},
      {"sch_tbf"},
      kNat,
      {"null_blk", "xen-blkback"},
      {},
      {"xen-pciback"},
      {},
      {"igb", "xen-pciback"},
      true};
  // The emulated card's other end is a tap.
  static const Domain dom0_hvm = {"dom0",
                                  [] {
                                    std::vector<std::string> modules = dom0.modules;
                                    modules.emplace_back("tun");
                                    return modules;
                                  }(),
                                  dom0.optional,
                                  dom0.nat,
                                  dom0.disk,
                                  {},
                                  {},
                                  {},
                                  {},
                                  true};
  static const Domain kvm = {
      "kvm", {"bridge", "tun", "vhost-net", "kvm-amd"}, {"sch_tbf"}, kNat,       {"null_blk"}, {}, {},
      {},    {"igb", "vfio-pci", "vfio_iommu_type1"},   true,        {"macvtap"}};
  if (has_kvm(kind)) return kvm;
  if (has_device_model(kind)) return dom0_hvm;
  return has_xen(kind) ? dom0 : native;
}

const Domain* guest_domain(PlatformId kind) {
  // The card comes with the frontend of its bus.
  static const std::vector<std::string> driving = {"xen-pcifront", "e1000e", "bridge", "xen-netback",
                                                   "sch_tbf"};
  static const Domain xen = {"guest", {"xen-netfront"},         {}, {}, {"xen-blkfront"}, {}, {},
                             driving, {"xen-pcifront", "igbvf"}};
  static const Domain emulated = {"guest", {"e1000"}, {}, {}, {"nvme"}};
  static const Domain kvm = {
      "guest", {"virtio-pci", "virtio-net"}, {}, {}, {"virtio-blk"}, {"virtio-balloon"}, {}, {}, {"igbvf"}};
  if (has_kvm(kind)) return &kvm;
  if (kind == PlatformId::xen_hvm) return &emulated;
  return has_xen(kind) ? &xen : nullptr;
}

CpioArchive base_image(const std::string& role, const std::vector<Module>& modules,
                       const std::vector<std::uint8_t>& agent, const std::vector<Module>& disk_modules) {
  CpioArchive image;
  for (const char* directory : {"dev", "proc", "sys", "run", "tmp"}) image.directory(directory);
  image.character_device("dev/console", 5, 1);
  image.file("init", agent, 0755);
  image.file("lab/modules", content_of(add_modules(image, modules)));
  image.file("lab/disk-modules", content_of(add_modules(image, disk_modules)));
  image.file("lab/role", content_of(role + "\n"));
  return image;
}

void add_more_modules(CpioArchive& image, const std::string& list, const std::vector<Module>& modules) {
  image.file(list, content_of(add_modules(image, modules)));
}

Result<> add_toolstack(CpioArchive& image, const fs::path& packages) {
  const auto xen = xen_directory(packages);
  if (!xen) return fail(xen.error());
  std::vector<fs::path> programs;
  for (const char* name : kToolstackPrograms) {
    const fs::path file = *xen / "bin" / name;
    const auto content = read_file(file);
    if (!content) return fail(content.error());
    // At the package's path, where xl looks for its helpers.
    const std::string path = fs::relative(file, packages).string();
    image.file(path, *content, 0755);
    programs.push_back(file);
  }
  return add_libraries(image, programs, packages);
}

Result<> add_device_model(CpioArchive& image, const fs::path& packages, const fs::path& xen_packages) {
  const auto xen = xen_directory(xen_packages);
  if (!xen) return fail(xen.error());
  const std::string loader = fs::relative(*xen / "boot/hvmloader", xen_packages).string();
  const fs::path program = packages / "usr/libexec/xen-qemu-system-i386";
  const std::pair<fs::path, std::string> files[] = {
      {program, "usr/libexec/xen-qemu-system-i386"},
      {*xen / "boot/hvmloader", loader},
      {packages / "usr/share/seabios/bios-256k.bin", "usr/share/seabios/bios-256k.bin"},
      {packages / "usr/share/qemu/keymaps/en-us",
       "usr/share/qemu/keymaps/en-us"},  // asked for by "-vnc none"
      {packages / "usr/share/qemu/linuxboot.bin", "usr/share/qemu/linuxboot.bin"},
      {packages / "usr/share/qemu/linuxboot_dma.bin", "usr/share/qemu/linuxboot_dma.bin"}};
  for (const auto& [file, path] : files) {
    const auto content = read_file(file);
    if (!content) return fail(content.error());
    image.file(path, *content, 0755);
  }
  return add_libraries(image, {program}, packages);
}

Result<> add_vmm(CpioArchive& image, const fs::path& packages) {
  const fs::path program = packages / "usr/bin/qemu-system-x86_64";
  const auto content = read_file(program);
  if (!content) return fail(content.error());
  image.file("usr/bin/qemu-system-x86_64", *content, 0755);
  const std::pair<const char*, const char*> firmware[] = {{"usr/share/seabios", "bios-256k.bin"},
                                                          {"usr/share/qemu", "linuxboot_dma.bin"},
                                                          {"usr/share/qemu", "pvh.bin"}};
  for (const auto& [directory, name] : firmware) {
    const auto rom = read_file(packages / directory / name);
    if (!rom) return fail(rom.error());
    image.file(std::string("usr/share/vmm/") + name, *rom);
  }
  return add_libraries(image, {program}, packages);
}

Result<> add_compiler(CpioArchive& image, const fs::path& packages) {
  const auto gcc = gcc_directory(packages);
  if (!gcc) return fail(gcc.error());
  const fs::path compiler = *gcc / "cc1";
  const auto content = read_file(compiler);
  if (!content) return fail(content.error());
  image.file("lab/compile/cc1", *content, 0755);

  // Of a header of stb's the part that is code, as its users get it.
  std::vector<std::string> texts;
  for (const std::string name : {"stb_perlin", "stb_sprintf", "stb_image_write"}) {
    std::string define = name;
    for (char& letter : define) letter = letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter;
    texts.push_back("#define " + define + "_IMPLEMENTATION\n#include <" + name + ".h>\n");
    image.file("lab/compile/" + name + ".c", content_of(texts.back()));
  }
  const fs::path include = packages / "usr/include";
  const std::vector<fs::path> folders = {
      packages / "usr/lib/gcc/x86_64-linux-gnu" / gcc->filename() / "include", include / "x86_64-linux-gnu",
      include, include / "stb"};
  const auto headers = header_closure(texts, folders);
  if (!headers) return fail(headers.error());
  for (const Header& header : *headers)
    image.file("lab/compile/include" + std::to_string(header.folder) + "/" + header.name, header.content);
  return add_libraries(image, {compiler}, packages);
}

}  // namespace vtax::lab
