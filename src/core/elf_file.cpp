#include "core/elf_file.h"

namespace vtax {
namespace {

constexpr std::size_t kLongestName = 1024;  // the kernel's own limit is half of it

}  // namespace

std::optional<ElfFile> ElfFile::open(ByteView bytes) {
  const auto header = copy_at<Elf64_Ehdr>(bytes, 0);
  const bool good = header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
                    header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB;
  if (!good) return std::nullopt;
  return ElfFile(bytes, *header);
}

ElfFile::ElfFile(ByteView bytes, const Elf64_Ehdr& header) : bytes_(bytes), header_(header) {
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return;
  std::vector<Elf64_Shdr> headers;
  // Of more than 65279 sections the first header holds the number.
  const auto first = copy_at<Elf64_Shdr>(bytes, header.e_shoff);
  const std::uint64_t count = header.e_shnum == 0 && first ? first->sh_size : header.e_shnum;
  if (header.e_shoff == 0 || count > bytes.size() / sizeof(Elf64_Shdr) ||
      !fits(bytes.size(), header.e_shoff, count * sizeof(Elf64_Shdr)))
    return;
  for (std::uint64_t i = 0; i < count; ++i)
    sections_.push_back({{}, *copy_at<Elf64_Shdr>(bytes, header.e_shoff + i * sizeof(Elf64_Shdr))});
  const std::size_t names = header.e_shstrndx == SHN_XINDEX && first ? first->sh_link : header.e_shstrndx;
  for (Section& section : sections_) section.name = text(names, section.header.sh_name);
}

std::optional<std::vector<Elf64_Phdr>> ElfFile::segments() const {
  std::vector<Elf64_Phdr> all;
  if (header_.e_phnum != 0 && (header_.e_phentsize != sizeof(Elf64_Phdr) || header_.e_phoff > bytes_.size()))
    return std::nullopt;
  for (std::uint64_t i = 0; i < header_.e_phnum; ++i) {
    const auto segment = copy_at<Elf64_Phdr>(bytes_, header_.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment || !fits(bytes_.size(), segment->p_offset, segment->p_filesz)) return std::nullopt;
    all.push_back(*segment);
  }
  return all;
}

const ElfFile::Section* ElfFile::section(std::string_view name) const {
  for (const Section& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

ByteView ElfFile::content(const Section& section) const {
  const Elf64_Shdr& header = section.header;
  if (header.sh_type == SHT_NOBITS || !fits(bytes_.size(), header.sh_offset, header.sh_size)) return {};
  return bytes_.subspan(header.sh_offset, header.sh_size);
}

ByteView ElfFile::loaded_at(std::uint64_t address) const {
  const auto all = segments();
  if (!all) return {};
  for (const Elf64_Phdr& segment : *all)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return bytes_.subspan(segment.p_offset, segment.p_filesz).subspan(address - segment.p_vaddr);
  return {};
}

std::string_view ElfFile::text(std::size_t table, std::uint64_t offset) const {
  if (table >= sections_.size() || sections_[table].header.sh_type != SHT_STRTAB) return {};
  const ByteView strings = content(sections_[table]);
  if (offset >= strings.size()) return {};
  const std::string_view rest(reinterpret_cast<const char*>(strings.data()) + offset,
                              strings.size() - offset);
  const std::size_t end = rest.substr(0, kLongestName).find('\0');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

}  // namespace vtax
