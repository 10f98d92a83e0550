#include "machine/parts/lab_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "account/system_map.h"
#include "core/files.h"
#include "machine/parts/cache_limits.h"
#include "machine/parts/cr0_reads.h"
#include "machine/parts/gathered_parts.h"
#include "machine/parts/gzip.h"
#include "machine/parts/image_record.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/lab_parts.h"
#include "machine/parts/module_list.h"
#include "machine/parts/shared_libraries.h"
#include "machine/parts/stack_sources.h"
#include "machine/parts/xen_tree.h"
#include "machine/parts/zstd_packed.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

// The machine of docs/design/architecture.md: Dom0's virtual CPUs are CPU 0 and 1, the guest's is CPU 2.
constexpr const char* kNativeArguments = "console=ttyS0 quiet nokaslr panic=-1";
constexpr const char* kDom0Arguments = "console=hvc0 quiet nokaslr panic=-1";
std::string xen_arguments() {
  return fmt::format("console=com1 com1=115200,8n1 dom0_mem={}M dom0_max_vcpus=2 dom0_vcpus_pin", kDom0Mib);
}

Result<fs::path> only_match(const fs::path& directory, const std::string& prefix, const std::string& suffix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix) && !entry.is_symlink(error))
      found.push_back(entry.path());
  }
  if (found.empty())
    return fail({"cannot build the lab's image",
                 "there is no " + prefix + "*" + suffix + " in " + directory.string(),
                 "run 'vtax lab fetch --refresh'", ExitCode::unavailable});
  return *std::min_element(found.begin(), found.end());
}

Error wrong_release(const Module& module, const std::string& release) {
  return {"cannot build the lab's image",
          "the kernel is " + release + ", the module " + module.name + " is for " + module.release,
          "name kernel and modules of the same build: --kernel and --modules, or both in [stack.NAME]"};
}

Result<std::vector<Module>> modules_for(const Domain& domain, const ModuleTree& tree,
                                        const KernelImage& kernel) {
  const LabCard* card = domain.has_card ? card_for(tree) : nullptr;
  std::vector<std::string> wanted = card != nullptr ? card->modules : std::vector<std::string>();
  wanted.insert(wanted.end(), domain.modules.begin(), domain.modules.end());
  auto modules = tree.closure(wanted, domain.optional);
  if (!modules) return modules;
  for (const Module& module : *modules)
    if (module.release != kernel.release) return fail(wrong_release(module, kernel.release));
  return modules;
}

// What comes to `others` of a domain, for some trials: those of its `more` that the kernel has.
Result<std::vector<Module>> more_modules(const Domain& domain, const std::vector<std::string>& more,
                                         const std::vector<Module>& others, const ModuleTree& tree,
                                         const KernelImage& kernel) {
  Domain with = domain;
  with.optional.insert(with.optional.end(), more.begin(), more.end());
  auto modules = modules_for(with, tree, kernel);
  if (!modules) return modules;
  std::erase_if(*modules, [&](const Module& module) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Module& other) { return other.name == module.name; });
  });
  return modules;
}

Result<fs::path> kernel_file_of(const std::optional<fs::path>& own, const FetchedSet& set) {
  if (own) return *own;
  std::error_code error;
  // Debian's since 14 lie beside their modules.
  for (const auto& release : fs::directory_iterator(set.root / "usr/lib/modules", error))
    if (const fs::path image = release.path() / "vmlinuz"; fs::is_regular_file(image, error)) return image;
  return only_match(set.root / "boot", "vmlinuz-", "");
}

Error unfit_kernel(const fs::path& file, std::string why, std::string next) {
  return {"cannot use " + file.filename().string() + " as the lab's kernel", std::move(why), std::move(next),
          ExitCode::usage};
}

Result<> expect_pvh(const KernelImage& kernel, const fs::path& file) {
  if (kernel.pvh) return {};
  return fail(unfit_kernel(file, "it was built without CONFIG_PVH", "switch CONFIG_PVH on"));
}

Result<> expect_xen_pv(const KernelImage& kernel, const fs::path& file) {
  if (kernel.xen_pv) return {};
  return fail(unfit_kernel(file, "it was built without CONFIG_XEN_PV",
                           "switch CONFIG_XEN_PV and, for Domain-0, CONFIG_XEN_DOM0 on"));
}

// Whether the machine itself can boot it: the system, Domain-0, or KVM's host.
Result<> expect_first(PlatformId kind, const KernelImage& kernel, const fs::path& file) {
  return has_xen(kind) ? expect_xen_pv(kernel, file) : expect_pvh(kernel, file);
}

// Whether its guests can.
Result<> expect_guest(PlatformId kind, const KernelImage& kernel, const fs::path& file,
                      const std::vector<std::uint8_t>& bytes) {
  if (guest_domain(kind) == nullptr) return {};
  if (kind == PlatformId::xen_pv) return expect_xen_pv(kernel, file);
  if (!has_device_model(kind)) return expect_pvh(kernel, file);
  // The firmware of a fully virtualised guest boots what a PC's would.
  if (is_bzimage(bytes)) return {};
  return fail(
      unfit_kernel(file, "the guest of " + std::string(name_of(kind)) + " boots a bzImage, and this is none",
                   "give the build's arch/x86/boot/bzImage"));
}

struct ReadKernel {
  KernelImage image;
  std::vector<std::uint8_t> bytes;  // the file
};

// A kernel that is to be the machine's own, its guests', or both.
Result<ReadKernel> kernel_for(PlatformId kind, const fs::path& file, bool is_first, bool is_guests) {
  auto bytes = read_file(file);
  if (!bytes) return fail(bytes.error());
  auto kernel = read_kernel(*bytes, file.filename().string());
  if (!kernel) return fail(kernel.error());
  Result<> good;
  if (is_first) good = expect_first(kind, *kernel, file);
  if (is_guests && good) good = expect_guest(kind, *kernel, file, *bytes);
  if (!good) return fail(good.error());
  return ReadKernel{std::move(*kernel), std::move(*bytes)};
}

Result<std::vector<std::uint8_t>> xen_for(PlatformId kind, const fs::path& file) {
  const auto bytes = read_file(file);
  if (!bytes) return fail(bytes.error());
  auto xen = read_xen(*bytes, file.filename().string());
  if (!xen) return fail(xen.error());
  if (virtualises(kind))
    if (auto changed = leave_cr0_reads_to_guests(*xen, file.filename().string()); !changed)
      return fail(changed.error());
  return xen;
}

Result<> write_xen(PlatformId kind, const Sources& sources, const GatheredParts& parts,
                   const fs::path& into) {
  fs::path file;
  if (sources.xen) {
    const auto tree = XenTree::open(*sources.xen);
    if (!tree) return fail(tree.error());
    file = tree->hypervisor;
  } else {
    const auto found = only_match(parts.xen_set->root / "boot", "xen-", ".gz");
    if (!found) return fail(found.error());
    file = *found;
  }
  const auto xen = xen_for(kind, file);
  if (!xen) return fail(xen.error());
  return write_file(into / "xen", *xen);
}

// Likewise, as a list of their own in the domain's image.
Result<> add_more(CpioArchive& image, const char* list, const Domain& domain,
                  const std::vector<std::string>& more, const std::vector<Module>& others,
                  const ModuleTree& tree, const KernelImage& kernel, std::vector<Module>& used) {
  const auto modules = more_modules(domain, more, others, tree, kernel);
  if (!modules) return fail(modules.error());
  used.insert(used.end(), modules->begin(), modules->end());
  add_more_modules(image, list, *modules);
  return {};
}

Result<> add_programs(CpioArchive& image, const std::map<std::string, fs::path>& files) {
  for (const auto& [path, file] : files) {
    const auto content = read_file(file);
    if (!content) return fail(content.error());
    image.file(path, *content, 0755);
  }
  return {};
}

Result<> add_workload_files(const GatheredParts& parts, CpioArchive& image) {
  if (!parts.program.files.empty()) return parts.program.add_to(image);
  return parts.compiler_set ? add_compiler(image, parts.compiler_set->root) : Result<>();
}

// A kernel with where its modules are, and those that were used of them.
struct KernelWithModules {
  ReadKernel kernel;
  ModuleTree tree;
  std::vector<Module> used = {};

  [[nodiscard]] static Result<KernelWithModules> open(PlatformId kind, const fs::path& file,
                                                      const fs::path& modules, bool is_first,
                                                      bool is_guests) {
    auto kernel = kernel_for(kind, file, is_first, is_guests);
    if (!kernel) return fail(kernel.error());
    auto tree = ModuleTree::open(modules);
    if (!tree) return fail(tree.error());
    return KernelWithModules{std::move(*kernel), std::move(*tree)};
  }
};

// The image of the machine's guests.
Result<CpioArchive> guest_initramfs(const Domain& domain, const GatheredParts& parts,
                                    KernelWithModules& with) {
  const KernelImage& kernel = with.kernel.image;
  const auto modules = modules_for(domain, with.tree, kernel);
  if (!modules) return fail(modules.error());
  const auto disk = more_modules(domain, domain.disk, *modules, with.tree, kernel);
  if (!disk) return fail(disk.error());
  const auto balloon = more_modules(domain, domain.balloon, *modules, with.tree, kernel);
  if (!balloon) return fail(balloon.error());
  for (const auto* more : {&*modules, &*disk, &*balloon})
    with.used.insert(with.used.end(), more->begin(), more->end());
  CpioArchive image = base_image(domain.role, *modules, parts.agent, *disk);
  auto added =
      add_more(image, "lab/driver-modules", domain, domain.driver, *modules, with.tree, kernel, with.used);
  if (added)
    added = add_more(image, "lab/function-modules", domain, domain.functions, *modules, with.tree, kernel,
                     with.used);
  if (!added) return fail(added.error());
  add_more_modules(image, "lab/balloon-modules", *balloon);
  if (added = add_workload_files(parts, image); !added) return fail(added.error());
  return image;
}

// What the kernel of the system under test, or of its driver domain, unpacks.
Result<std::vector<std::uint8_t>> for_kernel(CpioArchive image, const LabImage& facts) {
  std::vector<std::uint8_t> bytes = image.bytes();
  image = {};  // before as much again is used to pack it
  if (facts.program_bytes > ProgramTree::kMostPlainBytes) return zstd_packed(bytes);
  return bytes;
}

// `guests`: the kernel that guests boot, which may be `first`. `facts`: the guests' packed bytes are set.
Result<CpioArchive> initramfs(PlatformId kind, const GatheredParts& parts, KernelWithModules& first,
                              KernelWithModules& guests, LabImage& facts) {
  const Domain& domain = first_domain(kind);
  const KernelImage& kernel = first.kernel.image;
  const auto modules = modules_for(domain, first.tree, kernel);
  if (!modules) return fail(modules.error());
  first.used = *modules;
  const auto disk = more_modules(domain, domain.disk, *modules, first.tree, kernel);
  if (!disk) return fail(disk.error());
  first.used.insert(first.used.end(), disk->begin(), disk->end());
  CpioArchive image = base_image(domain.role, *modules, parts.agent, *disk);
  Result<> added =
      add_more(image, "lab/nat-modules", domain, domain.nat, *modules, first.tree, kernel, first.used);
  if (added)
    added =
        add_more(image, "lab/giver-modules", domain, domain.giver, *modules, first.tree, kernel, first.used);
  if (added)
    added = add_more(image, "lab/function-modules", domain, domain.functions, *modules, first.tree, kernel,
                     first.used);
  if (added)
    added = add_more(image, "lab/macvtap-modules", domain, domain.macvtap, *modules, first.tree, kernel,
                     first.used);
  if (!added) return fail(added.error());
  const Domain* guest = guest_domain(kind);
  if (guest == nullptr) {
    if (added = add_workload_files(parts, image); !added) return fail(added.error());
    return image;
  }
  auto guest_image = guest_initramfs(*guest, parts, guests);
  if (!guest_image) return fail(guest_image.error());
  image.file("lab/guest/kernel",
             has_device_model(kind) ? guests.kernel.bytes : loaded_part(guests.kernel.image.vmlinux));
  // Firmware reads it byte by byte from a program of Domain-0.
  auto guest_initrd = has_device_model(kind) ? Result<std::vector<std::uint8_t>>(gzip(guest_image->bytes()))
                                             : for_kernel(std::move(*guest_image), facts);
  if (!guest_initrd) return fail(guest_initrd.error());
  facts.packed_bytes = guest_initrd->size();
  image.file("lab/guest/initrd", std::move(*guest_initrd));
  // The partner of a guest's program runs here. Only now, as large ones take much of this computer's memory.
  if (!parts.program.files.empty())
    if (added = parts.program.add_to(image); !added) return fail(added.error());
  if (has_kvm(kind)) {
    const std::string backend = kind == PlatformId::kvm ? "vhost\n" : "qemu\n";
    image.file("lab/guest/backend", {backend.begin(), backend.end()});
    if (added = add_vmm(image, parts.vmm_set->root); !added) return fail(added.error());
    return image;
  }
  const std::string type = std::string(name_of(kind).substr(std::string_view("xen-").size())) + "\n";
  image.file("lab/guest/type", {type.begin(), type.end()});
  added = parts.toolstack.empty() ? add_toolstack(image, parts.xen_set->root)
                                  : add_programs(image, parts.toolstack);
  if (!added) return fail(added.error());
  if (!has_device_model(kind)) return image;
  added = add_device_model(image, parts.device_model_set->root, parts.xen_set->root);
  if (!added) return fail(added.error());
  return image;
}

// Kernel, table of symbols and modules, for their names; the modules' names.
Result<std::vector<ModuleFile>> write_kernel(const KernelWithModules& with,
                                             const std::optional<fs::path>& symbols, const fs::path& into) {
  if (auto made = make_directories(into / "modules"); !made) return fail(made.error());
  if (auto written = write_file(into / "vmlinux", loaded_part(with.kernel.image.vmlinux)); !written)
    return fail(written.error());
  std::vector<ModuleFile> names;
  std::set<std::string> there;  // a driver domain has some of Domain-0's
  for (const Module& module : with.used) {
    if (!there.insert(module.name).second) continue;
    if (auto written = write_file(into / "modules" / (module.name + ".ko"), module.object); !written)
      return fail(written.error());
    names.push_back({module.name, {}});
  }
  if (symbols) {
    const auto map = read_file(*symbols);
    if (!map) return fail(map.error());
    if (auto written = write_file(into / kSystemMap, *map); !written) return fail(written.error());
  }
  return names;
}

Result<> build(PlatformId kind, const Sources& sources, const GatheredParts& parts, const fs::path& into,
               LabImage& image) {
  const auto file = kernel_file_of(sources.kernel, parts.kernel_set);
  if (!file) return fail(file.error());
  auto first = KernelWithModules::open(kind, *file, sources.modules.value_or(parts.kernel_set.root), true,
                                       !parts.guest_kernel_set);
  if (!first) return fail(first.error());
  std::optional<KernelWithModules> guests;
  if (parts.guest_kernel_set) {
    const auto guest_file = kernel_file_of(sources.guest->kernel, *parts.guest_kernel_set);
    if (!guest_file) return fail(guest_file.error());
    auto opened = KernelWithModules::open(
        kind, *guest_file, sources.guest->modules.value_or(parts.guest_kernel_set->root), false, true);
    if (!opened) return fail(opened.error());
    guests = std::move(*opened);
  }
  image.program_bytes = parts.program.bytes();
  image.program_memory_bytes = parts.program.memory_bytes();
  auto archive = initramfs(kind, parts, *first, guests ? *guests : *first, image);
  if (!archive) return fail(archive.error());

  const auto initrd = for_kernel(std::move(*archive), image);
  if (!initrd) return fail(initrd.error());
  if (guest_domain(kind) == nullptr) image.packed_bytes = initrd->size();
  if (auto written = write_file(into / "initrd.cpio", *initrd); !written) return written;
  if (has_xen(kind))
    if (auto written = write_xen(kind, sources, parts, into); !written) return written;
  auto modules = write_kernel(*first, sources.symbols, into);
  if (!modules) return fail(modules.error());
  image.modules = std::move(*modules);
  image.kernel_release = first->kernel.image.release;
  if (const LabCard* card = card_for(first->tree)) image.card = *card;
  if (guests) {
    auto guest_modules = write_kernel(*guests, sources.guest->symbols, into / kGuestKernelFolder);
    if (!guest_modules) return fail(guest_modules.error());
    image.guest_kernel =
        LabImage::GuestKernel{{}, {}, guests->kernel.image.release, std::move(*guest_modules)};
  }
  if (!parts.program.files.empty())
    if (auto written = parts.program.write_symbols(into / "program"); !written) return written;
  return write_image_record(image, into);
}

// All but what is known only when it is built.
LabImage planned_image(PlatformId kind, const Sources& sources, const GatheredParts& parts) {
  LabImage image;
  image.kind = kind;
  image.hash = content_hash(kind, parts);
  image.release = sources.release;
  image.own_files = parts.own_files;
  if (has_xen(kind) && virtualises(kind)) image.changes.emplace_back(kCr0ReadsChange);
  if (virtualises(kind)) image.changes.emplace_back(kVmrunChange);
  image.packages = packages_of(parts);
  image.kernel_command_line = has_xen(kind) ? kDom0Arguments : kNativeArguments;
  image.xen_command_line = has_xen(kind) ? xen_arguments() : "";
  return image;
}

fs::path image_folder(const PackageCache& cache, const LabImage& image) {
  constexpr std::size_t kDigits = 16;
  return cache.image(std::string(name_of(image.kind)) + "-" + image.hash.substr(0, kDigits));
}

// A kernel of the user's with its modules and symbols, for all kinds that boot it.
struct OwnKernelCheck {
  const std::set<PlatformId>& kinds;
  bool is_first, is_guests;
  Domain (*needs)(PlatformId, const Sources&);
};

Result<> check_own_kernel(const OwnKernelCheck& check, const Sources& sources,
                          const std::optional<fs::path>& file, const std::optional<fs::path>& modules,
                          const std::optional<fs::path>& symbols) {
  std::string release;
  if (file)
    for (const PlatformId kind : check.kinds) {
      const auto kernel = kernel_for(kind, *file, check.is_first, check.is_guests);
      if (!kernel) return fail(kernel.error());
      release = kernel->image.release;
    }
  if (modules) {
    const auto tree = ModuleTree::open(*modules);
    if (!tree) return fail(tree.error());
    for (const PlatformId kind : check.kinds) {
      const Domain all = check.needs(kind, sources);
      const auto closure = tree->closure(all.modules, with_card(all, *tree));
      if (!closure) return fail(closure.error());
      for (const Module& module : *closure)
        if (!release.empty() && module.release != release) return fail(wrong_release(module, release));
    }
  }
  if (!symbols) return {};
  const auto text = read_text(*symbols);
  if (!text) return fail(text.error());
  if (const auto table = read_system_map(*text, symbols->string()); !table) return fail(table.error());
  return {};
}

}  // namespace

Result<> check_sources(const std::set<PlatformId>& kinds, const Sources& sources) {
  auto good = check_own_kernel({kinds, true, !sources.guest, domains_of_kernel}, sources, sources.kernel,
                               sources.modules, sources.symbols);
  if (good && sources.guest) {
    std::set<PlatformId> with_guests;
    for (const PlatformId kind : kinds)
      if (guest_domain(kind) != nullptr) with_guests.insert(kind);
    const auto needs = [](PlatformId kind, const Sources&) { return domains_of_guest_kernel(kind); };
    good = check_own_kernel({with_guests, false, true, needs}, sources, sources.guest->kernel,
                            sources.guest->modules, sources.guest->symbols);
  }
  if (!good) return good;
  if (!sources.xen) return {};
  for (const PlatformId kind : kinds)
    if (has_xen(kind))
      if (const auto toolstack = toolstack_of(sources); !toolstack) return fail(toolstack.error());
  const auto tree = XenTree::open(*sources.xen);
  if (!tree) return fail(tree.error());
  for (const PlatformId kind : kinds) {
    if (!has_xen(kind)) continue;
    if (const auto xen = xen_for(kind, tree->hypervisor); !xen) return fail(xen.error());
    if (has_device_model(kind) && tree->has_toolstack())
      return fail(
          {"cannot use " + sources.xen->string() + " as the lab's Xen",
           fmt::format("the guest of {} needs the device model (QEMU) of the same build, and a tree's "
                       "is not taken",
                       name_of(kind)),
           "choose xen-pv or xen-pvh for this stack", ExitCode::usage});
  }
  return {};
}

Result<ImageParts> parts_of_image(PlatformId kind, const Sources& sources, PackageCache& cache,
                                  const Apt& apt, const TellStep& progress) {
  const auto parts = gather_parts(kind, sources, cache, apt, progress, Fetch::name);
  if (!parts) return fail(parts.error());
  return ImageParts{content_hash(kind, *parts), packages_of(*parts), parts->own_files};
}

Result<LabImage> build_lab_image(PlatformId kind, const Sources& sources, PackageCache& cache, const Apt& apt,
                                 const TellStep& progress) {
  auto parts = gather_parts(kind, sources, cache, apt, progress, Fetch::name);
  if (!parts) return fail(parts.error());
  LabImage image = planned_image(kind, sources, *parts);
  fs::path directory = image_folder(cache, image);
  for (int tries = 0; tries < 3; ++tries) {
    if (!PackageCache::is_sound(directory, image.hash)) {
      // Only now the packages' files are read.
      parts = gather_parts(kind, sources, cache, apt, progress, Fetch::content);
      if (!parts) return fail(parts.error());
      image = planned_image(kind, sources, *parts);
      directory = image_folder(cache, image);
      const auto added = cache.add(
          directory, image.hash,
          [&](const fs::path& into) {
            progress("building the image of the " + std::string(name_of(kind)) + " machine");
            return build(kind, sources, *parts, into, image);
          },
          progress);
      if (!added) return fail(added.error());
      limit_images(directory.parent_path());
    }
    image.in_use = use_folder(directory);
    if (image.in_use == nullptr) continue;  // removed by another program in this moment
    if (auto read = read_image_record(directory, image); !read) return fail(read.error());
    return image;
  }
  return fail({"cannot use the lab's image " + directory.string(), "other programs remove it again and again",
               "end them, then run the same command again", ExitCode::io});
}

}  // namespace vtax::lab
