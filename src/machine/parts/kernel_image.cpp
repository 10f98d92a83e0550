#include "machine/parts/kernel_image.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>

#include "core/elf_file.h"
#include "machine/parts/decompress.h"

namespace vtax::lab {
namespace {

using namespace std::string_view_literals;

// Offsets into a bzImage's setup header (boot.rst, "Details of Header Fields").
constexpr std::size_t kSetupSectorsAt = 0x1f1;
constexpr std::size_t kHeaderMagicAt = 0x202;
constexpr std::size_t kProtocolAt = 0x206;
constexpr std::size_t kFlagsAt = 0x236;
constexpr std::size_t kPayloadOffsetAt = 0x248;
constexpr std::size_t kPayloadLengthAt = 0x24c;
constexpr std::size_t kSector = 512;

// Notes of "Xen" (xen/include/public/elfnote.h).
constexpr std::uint32_t kNoteEntry = 1;
constexpr std::uint32_t kNotePhys32Entry = 18;

constexpr std::uint32_t kMultibootMagic = 0x1badb002;
constexpr std::size_t kMultibootWithin = 8192;

std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_elf(ByteView file) {
  return text_of(file).starts_with("\177ELF");
}

void read_notes(ByteView notes, KernelImage& kernel) {
  const auto aligned = [](std::uint64_t n) { return (n + 3) & ~std::uint64_t{3}; };
  for (std::uint64_t at = 0;;) {
    const auto note = copy_at<Elf64_Nhdr>(notes, at);
    if (!note) return;
    const std::uint64_t name_at = at + sizeof *note;
    if (note->n_namesz == 4 && fits(notes.size(), name_at, 4) &&
        text_of(notes).substr(name_at, 4) == "Xen\0"sv) {
      kernel.pvh = kernel.pvh || note->n_type == kNotePhys32Entry;
      kernel.xen_pv = kernel.xen_pv || note->n_type == kNoteEntry;
    }
    at = name_at + aligned(note->n_namesz) + aligned(note->n_descsz);
  }
}

// From the banner, "Linux version 6.1.0-56-amd64 (...".
std::string release_of(ByteView vmlinux) {
  constexpr std::string_view kBanner = "Linux version ";
  const std::string_view text = text_of(vmlinux);
  for (std::size_t at = text.find(kBanner); at != std::string_view::npos; at = text.find(kBanner, at + 1)) {
    const std::string_view rest = text.substr(at + kBanner.size(), 128);
    const std::size_t end = rest.find_first_of(" \0"sv);
    if (end != std::string_view::npos && end > 0 && std::isdigit(static_cast<unsigned char>(rest[0])) != 0)
      return std::string(rest.substr(0, end));
  }
  return "";
}

bool has_boot_header(ByteView file) {
  return file.size() > kPayloadLengthAt + 4 && text_of(file).substr(kHeaderMagicAt, 4) == "HdrS";
}

Result<ByteView> payload_of(ByteView file, const std::string& what) {
  if (load<std::uint16_t>(file, kProtocolAt) < 0x20c || (load<std::uint16_t>(file, kFlagsAt) & 1) == 0)
    return fail(
        {what, "it is a bzImage for 32-bit x86 or from before Linux 3.8", "the lab needs one for x86-64"});
  const std::size_t setup = file[kSetupSectorsAt] == 0 ? 4 : file[kSetupSectorsAt];
  const std::uint64_t start = (setup + 1) * kSector + load<std::uint32_t>(file, kPayloadOffsetAt);
  const std::uint64_t length = load<std::uint32_t>(file, kPayloadLengthAt);
  if (!fits(file.size(), start, length) || length == 0)
    return fail({what,
                 "it is a truncated bzImage: " + std::to_string(start + length) + " bytes are announced, " +
                     std::to_string(file.size()) + " are there",
                 "copy or build it again"});
  return file.subspan(start, length);
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_386:
      return "32-bit x86";
    case EM_AARCH64:
      return "arm64";
    case EM_ARM:
      return "32-bit arm";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "POWER";
    case EM_S390:
      return "s390";
    default:
      return "machine " + std::to_string(machine);
  }
}

bool looks_like_text(ByteView file) {
  const ByteView start = file.first(std::min<std::size_t>(file.size(), 512));
  return std::all_of(start.begin(), start.end(),
                     [](std::uint8_t c) { return c >= 0x20 || c == '\n' || c == '\t' || c == '\r'; });
}

// A writable segment's bytes in the file without the zeros at its end, which are its .bss: who loads it fills
// the rest of its memory with zeros anyway. What another segment names within it stays.
std::uint64_t bytes_before_zeros(ByteView file, const Elf64_Phdr& part, const std::vector<Elf64_Phdr>& all) {
  if (part.p_type != PT_LOAD || (part.p_flags & PF_W) == 0) return part.p_filesz;
  const auto bytes = file.subspan(part.p_offset, part.p_filesz);
  const auto last = std::find_if(bytes.rbegin(), bytes.rend(), [](std::uint8_t byte) { return byte != 0; });
  auto size = static_cast<std::uint64_t>(bytes.rend() - last);
  for (const Elf64_Phdr& other : all) {
    const std::uint64_t end = other.p_offset + other.p_filesz;
    if (other.p_type != PT_LOAD && end > part.p_offset && end <= part.p_offset + part.p_filesz)
      size = std::max(size, end - part.p_offset);
  }
  return size;
}

}  // namespace

bool is_bzimage(ByteView file) {
  return has_boot_header(file);
}

std::string describe_file(ByteView file) {
  const std::string_view text = text_of(file);
  if (file.empty()) return "an empty file";
  if (is_elf(file)) {
    const auto type = copy_at<std::uint16_t>(file, offsetof(Elf64_Ehdr, e_type));
    const auto machine = copy_at<std::uint16_t>(file, offsetof(Elf64_Ehdr, e_machine));
    if (!type || !machine) return "a truncated ELF file";
    return std::string(*type == ET_REL ? "an object file or module" : "an ELF file") + " for " +
           machine_name(*machine);
  }
  if (text.size() > 0x3c && text.substr(0x38, 4) == "ARM\x64") return "an arm64 kernel";
  if (has_boot_header(file)) return "a bzImage (a Linux kernel for x86)";
  if (text.starts_with("MZ")) return "an EFI program";
  if (text.starts_with("!<arch>\ndebian")) return "a Debian package";
  if (text.starts_with("070701")) return "a cpio archive";
  if (compression_of(file) != Compression::none) return "a compressed file";
  return looks_like_text(file) ? "a text file" : "of an unknown format";
}

Result<KernelImage> read_kernel(ByteView file, const std::string& name) {
  const std::string what = "cannot use " + name + " as the lab's kernel";
  ByteView packed = file;
  if (has_boot_header(file)) {
    const auto payload = payload_of(file, what);
    if (!payload) return fail(payload.error());
    packed = *payload;
  }
  auto vmlinux = decompress(packed, what);
  if (!vmlinux) return fail(vmlinux.error());
  const auto elf = ElfFile::open(*vmlinux);
  if (!elf || !elf->is_for_x86_64() || elf->header().e_type != ET_EXEC)
    return fail(
        {what, "it is " + describe_file(*vmlinux), "the lab needs a Linux bzImage or vmlinux for x86-64"});
  const auto parts = elf->segments();
  if (!parts || parts->empty()) return fail({what, "its ELF file is truncated", "copy or build it again"});

  KernelImage kernel;
  for (const Elf64_Phdr& part : *parts)
    if (part.p_type == PT_NOTE) read_notes(ByteView(*vmlinux).subspan(part.p_offset, part.p_filesz), kernel);
  kernel.release = release_of(*vmlinux);
  if (kernel.release.empty()) return fail({what, "it is an ELF program for x86-64, but no Linux kernel", ""});
  kernel.vmlinux = std::move(*vmlinux);
  return kernel;
}

Result<std::vector<std::uint8_t>> read_xen(ByteView file, const std::string& name) {
  const std::string what = "cannot use " + name + " as the lab's Xen";
  auto image = decompress(file, what);
  if (!image) return fail(image.error());
  const std::string next = "the lab needs xen.gz, as Xen's build makes it beside xen-syms and xen.efi";
  const auto header = copy_at<Elf32_Ehdr>(*image, 0);
  if (!header || !is_elf(*image) || header->e_ident[EI_CLASS] != ELFCLASS32 || header->e_machine != EM_386)
    return fail({what, "it is " + describe_file(*image), next});
  const auto load_segment = copy_at<Elf32_Phdr>(*image, header->e_phoff);
  if (!load_segment || !fits(image->size(), load_segment->p_offset, load_segment->p_filesz))
    return fail({what, "its ELF file is truncated", "copy or build it again"});
  const std::size_t end = std::min(image->size(), kMultibootWithin);
  for (std::size_t at = 0; at + 4 <= end; at += 4)
    if (load<std::uint32_t>(*image, at) == kMultibootMagic) return image;
  return fail({what, "it is an ELF file without a multiboot header", next});
}

std::vector<std::uint8_t> loaded_part(ByteView file) {
  const auto elf = ElfFile::open(file);
  const auto parts = elf ? elf->segments() : std::nullopt;
  if (!parts || parts->empty()) return {file.begin(), file.end()};
  Elf64_Ehdr bare = elf->header();
  std::uint64_t end = std::max<std::uint64_t>(sizeof bare, bare.e_phoff + parts->size() * sizeof(Elf64_Phdr));
  std::vector<Elf64_Phdr> taken = *parts;
  for (Elf64_Phdr& part : taken) {
    part.p_filesz = bytes_before_zeros(file, part, *parts);
    end = std::max(end, part.p_offset + part.p_filesz);
  }
  bare.e_shoff = 0;
  bare.e_shnum = 0;
  bare.e_shentsize = 0;
  bare.e_shstrndx = SHN_UNDEF;
  std::vector<std::uint8_t> part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(end));
  std::memcpy(part.data(), &bare, sizeof bare);
  std::memcpy(part.data() + bare.e_phoff, taken.data(), taken.size() * sizeof(Elf64_Phdr));
  return part;
}

}  // namespace vtax::lab
