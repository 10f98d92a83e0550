#include "machine/lab/xen_loader.h"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "core/input_file.h"
#include "core/units.h"

namespace vtax::lab {
namespace {

constexpr std::uint64_t kPage = 4096;
// Where the program is loaded: below Xen, which is linked at 2 MiB.
constexpr std::uint32_t kBase = 1U << 20;
// Xen uses memory by chunks of 2 MiB, and the firmware's tables lie in the last one.
constexpr std::uint64_t kChunk = 2 * kMiB;
// Below 16 MiB for its tables the firmware (SeaBIOS, malloc.c) has its scratch memory, in use until it has
// booted what is loaded here.
constexpr std::uint64_t kFirmware = 18 * kMiB;
// Up to this size every chipset has all memory in one piece, of a larger one at least the first 2 GiB.
constexpr std::uint64_t kInOnePiece = 2816 * kMiB, kFirstPiece = 2048 * kMiB;
// Xen boots and relocates itself here, and Domain-0's memory begins.
constexpr std::uint64_t kLowest = 64 * kMiB;

// Of Multiboot 0.6.96: the header, and what the loader hands over in %ebx.
constexpr std::uint32_t kHeaderMagic = 0x1badb002;
constexpr std::uint32_t kHeaderFlags = 1U << 16 | 3;  // addresses are given; pages; memory
constexpr std::uint32_t kHeaderBytes = 32;
constexpr std::uint8_t kHasWordsAndModules = 1U << 2 | 1U << 3;
constexpr std::uint8_t kCmdline = 16, kModsCount = 20, kModsAddr = 24;

void put32(std::string& to, std::uint32_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof bytes);
}

// mov dword [ebx + field], value
void store(std::string& code, std::uint8_t field, std::uint32_t value) {
  code += "\xc7\x43";
  code += static_cast<char>(field);
  put32(code, value);
}

// A comma ends an option's value, two are one.
std::string option_value(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.string()) out += c == ',' ? ",," : std::string(1, c);
  return out;
}

Result<std::uint32_t> entry_of(const std::filesystem::path& xen) {
  const std::string what = "cannot boot " + xen.string();
  const auto file = open_input(xen, what);
  if (!file) return fail(file.error());
  const auto bytes = read_up_to(*file, sizeof(Elf32_Ehdr), what);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() < sizeof(Elf32_Ehdr) || std::memcmp(bytes->data(), ELFMAG, SELFMAG) != 0)
    return fail({what, "it is no ELF file", "run 'vtax lab clean', then try again", ExitCode::io});
  Elf32_Ehdr header;
  std::memcpy(&header, bytes->data(), sizeof header);
  return header.e_entry;
}

Result<std::uint64_t> size_of(const std::filesystem::path& file) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error) return fail(system_error("cannot read " + file.string(), error.value()));
  return size;
}

}  // namespace

std::vector<PlacedFile> place_modules(int memory_mib, std::vector<PlacedFile> modules) {
  std::uint64_t memory = static_cast<std::uint64_t>(memory_mib) * kMiB;
  if (memory > kInOnePiece) memory = kFirstPiece;
  if (memory < kLowest + kFirmware) return {};
  std::uint64_t top = memory - kFirmware;
  const PlacedFile firmware{static_cast<std::uint32_t>(top), kFirmware - kChunk, "firmware"};
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    if (module->bytes > top - kLowest) return {};
    top = (top - module->bytes) & ~(kPage - 1);
    module->address = static_cast<std::uint32_t>(top);
  }
  modules.push_back(firmware);
  return modules;
}

std::string loader_program(std::uint32_t entry, const std::string& xen_words,
                           const std::vector<PlacedFile>& modules) {
  std::string program;
  for (const std::uint32_t word : {kHeaderMagic, kHeaderFlags, 0U - (kHeaderMagic + kHeaderFlags), kBase,
                                   kBase, 0U, 0U, kBase + kHeaderBytes})
    put32(program, word);

  constexpr std::uint32_t kCodeBytes = 3 + 3 * 7 + 5 + 2;
  const std::uint32_t table = kBase + kHeaderBytes + (kCodeBytes + 3) / 4 * 4;
  std::uint32_t text = table + static_cast<std::uint32_t>(modules.size()) * 16;
  std::string entries, texts = xen_words + '\0';
  for (const PlacedFile& module : modules) {
    for (const std::uint32_t word :
         {module.address, module.address + static_cast<std::uint32_t>(module.bytes),
          text + static_cast<std::uint32_t>(texts.size()), 0U})
      put32(entries, word);
    texts += module.words + '\0';
  }

  std::string code = "\x83\x0b";  // or dword [ebx], ...
  code += static_cast<char>(kHasWordsAndModules);
  store(code, kCmdline, text);
  store(code, kModsCount, static_cast<std::uint32_t>(modules.size()));
  store(code, kModsAddr, table);
  code += '\xb9';  // mov ecx, entry; what %eax holds says to Xen, too, that a boot loader called it
  put32(code, entry);
  code += "\xff\xe1";  // jmp ecx
  code.resize(table - kBase - kHeaderBytes);
  return program + code + entries + texts;
}

Result<XenLoader> load_xen(const MachineSpec& spec) {
  const auto entry = entry_of(spec.xen);
  if (!entry) return fail(entry.error());
  const std::filesystem::path* const files[] = {&spec.kernel, &spec.initrd};
  std::vector<PlacedFile> modules = {{0, 0, "vmlinux " + spec.kernel_arguments}, {0, 0, "initrd.cpio"}};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < std::size(files); ++i) {
    const auto size = size_of(*files[i]);
    if (!size) return fail(size.error());
    bytes += modules[i].bytes = *size;
  }
  modules = place_modules(spec.memory_mib, std::move(modules));
  if (modules.empty())
    return fail({"cannot boot " + spec.kernel.string() + " under Xen",
                 fmt::format("it and its initramfs have {} MiB, the machine has {} MiB of memory",
                             bytes / kMiB, spec.memory_mib),
                 "give a smaller kernel, or modules without debugging information", ExitCode::usage});
  XenLoader loader{loader_program(*entry, "xen " + spec.xen_arguments, modules),
                   {"-device", "loader,file=" + option_value(spec.xen)}};
  for (std::size_t i = 0; i < std::size(files); ++i)
    loader.devices.insert(loader.devices.end(),
                          {"-device", fmt::format("loader,file={},addr={:#x},force-raw=on",
                                                  option_value(*files[i]), modules[i].address)});
  return loader;
}

}  // namespace vtax::lab
