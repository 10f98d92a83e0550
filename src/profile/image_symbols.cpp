#include "profile/image_symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "account/unwind_functions.h"
#include "core/elf_file.h"
#include "core/function_name.h"
#include "core/readable.h"
#include "profile/kernel_names.h"

namespace vtax::profile {
namespace {

constexpr std::size_t kLongestName = 500;

std::string readable_name(const std::string& symbol) {
  return printable(readable_function_name(symbol), kLongestName);
}

std::string build_id_of(const ElfFile& elf) {
  const ElfFile::Section* section = elf.section(".note.gnu.build-id");
  if (section == nullptr) return "";
  const ByteView note = elf.content(*section);
  const auto head = copy_at<Elf64_Nhdr>(note, 0);
  constexpr std::uint32_t kLongest = 64;
  if (!head || head->n_type != NT_GNU_BUILD_ID || head->n_descsz > kLongest) return "";
  const std::uint64_t begin = sizeof *head + (std::uint64_t{head->n_namesz} + 3) / 4 * 4;
  if (!fits(note.size(), begin, head->n_descsz)) return "";
  std::string text;
  for (const std::uint8_t byte : note.subspan(begin, head->n_descsz)) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

ImageSymbols::ImageSymbols(ByteView file, ByteView symbols) {
  const auto elf = ElfFile::open(file);
  if (!elf || !elf->is_for_x86_64()) return;
  build_id_ = build_id_of(*elf);
  // Addresses are the same in both; a file of symbols alone has no content to which they could belong.
  const auto apart = ElfFile::open(symbols);
  const bool has_apart = apart && apart->is_for_x86_64() && build_id_of(*apart) == build_id_;
  const ElfFile& named = has_apart ? *apart : *elf;
  const auto segments = elf->segments();
  if (!segments) return;
  const auto offset_of = [&](std::uint64_t address) -> std::optional<std::uint64_t> {
    for (const Elf64_Phdr& segment : *segments)
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz)
        return address - segment.p_vaddr + segment.p_offset;
    return std::nullopt;
  };
  for (const Elf64_Word kind : {Elf64_Word{SHT_SYMTAB}, Elf64_Word{SHT_DYNSYM}}) {
    for (const ElfFile::Section& table : named.sections()) {
      if (table.header.sh_type != kind) continue;
      is_stripped_ = is_stripped_ && kind != SHT_SYMTAB;
      const ByteView content = named.content(table);
      for (std::size_t at = sizeof(Elf64_Sym); const auto symbol = copy_at<Elf64_Sym>(content, at);
           at += sizeof *symbol) {
        const auto type = ELF64_ST_TYPE(symbol->st_info);
        if (symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC)) continue;
        const auto begin = offset_of(symbol->st_value);
        if (!begin) continue;
        functions_.push_back({*begin, *begin + std::min(symbol->st_size, ~std::uint64_t{0} - *begin),
                              std::string(named.text(table.header.sh_link, symbol->st_name)),
                              ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL, false});
      }
    }
    if (!functions_.empty()) break;  // the dynamic ones are among the others
  }
  std::erase_if(functions_, [](const Covered& one) { return one.name.empty(); });
  // Of several names for one place: the global, then the shorter one.
  std::sort(functions_.begin(), functions_.end(), [](const Covered& a, const Covered& b) {
    return std::tuple(a.begin, !a.is_global, a.name.size(), std::string_view(a.name)) <
           std::tuple(b.begin, !b.is_global, b.name.size(), std::string_view(b.name));
  });
  const auto same = std::unique(functions_.begin(), functions_.end(),
                                [](const Covered& a, const Covered& b) { return a.begin == b.begin; });
  functions_.erase(same, functions_.end());
  if (is_stripped_) {
    std::vector<Covered> unnamed;
    for (const UnwindFunction& one : unwind_functions(*elf)) {
      const auto begin = offset_of(one.begin);
      if (!begin) continue;
      const auto next = std::upper_bound(functions_.begin(), functions_.end(), *begin,
                                         [](std::uint64_t a, const Covered& b) { return a < b.begin; });
      const bool has_name =
          next != functions_.begin() && (std::prev(next)->begin == *begin || *begin < std::prev(next)->end);
      if (!has_name)
        unnamed.push_back({*begin, *begin + std::min(one.bytes, ~std::uint64_t{0} - *begin),
                           fmt::format("{}{:x}", kUnnamedFunction, one.begin), false, true});
    }
    const auto middle = functions_.insert(functions_.end(), unnamed.begin(), unnamed.end());
    std::inplace_merge(functions_.begin(), middle, functions_.end(),
                       [](const Covered& a, const Covered& b) { return a.begin < b.begin; });
  }
  // Assembly often has no size: such a function goes to the next.
  for (std::size_t i = 0; i < functions_.size(); ++i) {
    Covered& one = functions_[i];
    if (one.end != one.begin) continue;
    constexpr std::uint64_t kMost = 4096;
    one.end = one.begin + kMost;
    if (i + 1 < functions_.size()) one.end = std::min(one.end, functions_[i + 1].begin);
  }
}

std::string_view ImageSymbols::at(std::uint64_t offset) {
  const auto next = std::upper_bound(functions_.begin(), functions_.end(), offset,
                                     [](std::uint64_t a, const Covered& b) { return a < b.begin; });
  if (next == functions_.begin() || offset >= std::prev(next)->end) return "";
  Covered& found = *std::prev(next);
  if (!std::exchange(found.is_readable, true)) found.name = readable_name(found.name);
  return found.name;
}

}  // namespace vtax::profile
