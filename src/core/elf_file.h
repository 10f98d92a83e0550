#pragma once

#include <elf.h>

#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace vtax {

// A view of an ELF64 little-endian file in memory (System V ABI, <elf.h>), safe on hostile bytes: what does
// not lie within the file is not there. The bytes have to outlive it.
// Not libelf: Debian 13's libelf.a cannot be linked (its libeu.a is not shipped), and vtax is static.
class ElfFile {
 public:
  struct Section {
    std::string_view name;
    Elf64_Shdr header;
  };

  // Nothing when it is no ELF64 little-endian file.
  [[nodiscard]] static std::optional<ElfFile> open(ByteView bytes);

  [[nodiscard]] const Elf64_Ehdr& header() const { return header_; }
  [[nodiscard]] bool is_for_x86_64() const { return header_.e_machine == EM_X86_64; }

  // All segments, with the content of each inside the file; nothing when one is cut off.
  [[nodiscard]] std::optional<std::vector<Elf64_Phdr>> segments() const;

  // Empty when there is no table of sections, or it is cut off.
  [[nodiscard]] const std::vector<Section>& sections() const { return sections_; }
  [[nodiscard]] const Section* section(std::string_view name) const;

  // Empty when it occupies no space in the file, or is cut off.
  [[nodiscard]] ByteView content(const Section& section) const;

  // What memory has from this address to the end of the segment that is loaded there, as far as it stands in
  // the file; empty where none is.
  [[nodiscard]] ByteView loaded_at(std::uint64_t address) const;

  // The string at `offset` of the string table that is section number `table`; empty when there is none, or
  // when it is longer than any name: of names that have no end each would be searched to the table's.
  [[nodiscard]] std::string_view text(std::size_t table, std::uint64_t offset) const;

 private:
  ElfFile(ByteView bytes, const Elf64_Ehdr& header);

  ByteView bytes_;
  Elf64_Ehdr header_;
  std::vector<Section> sections_;
};

// A copy of the structure at `offset`, if it lies within the bytes.
template <class T>
[[nodiscard]] std::optional<T> copy_at(ByteView bytes, std::uint64_t offset) {
  if (!fits(bytes.size(), offset, sizeof(T))) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace vtax
