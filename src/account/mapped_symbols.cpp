#include "account/mapped_symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "account/unwind_functions.h"
#include "core/elf_file.h"
#include "core/function_name.h"

namespace vtax {
namespace {

// By where it begins in the file's own addresses; of those that begin together one.
struct Function {
  std::string name;
  std::uint64_t bytes = 0;  // 0: unknown
};
using Functions = std::multimap<std::uint64_t, Function>;

// "memcpy@@GLIBC_2.14" is memcpy.
std::string without_version(std::string_view name) {
  return std::string(name.substr(0, name.find('@')));
}

void append_functions(ByteView file, Functions& functions) {
  const auto elf = ElfFile::open(file);
  if (!elf || !elf->is_for_x86_64()) return;
  for (const ElfFile::Section& table : elf->sections()) {
    if (table.header.sh_type != SHT_SYMTAB && table.header.sh_type != SHT_DYNSYM) continue;
    const ByteView content = elf->content(table);
    for (std::size_t at = sizeof(Elf64_Sym); const auto symbol = copy_at<Elf64_Sym>(content, at);
         at += sizeof *symbol) {
      // An indirect function's address is its resolver's.
      if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC) continue;
      std::string name = without_version(elf->text(table.header.sh_link, symbol->st_name));
      if (!name.empty()) functions.emplace(symbol->st_value, Function{std::move(name), symbol->st_size});
    }
  }
}

// Those that no name covers, by where they begin: "redis-server+0x1c40".
void append_unnamed(const ElfFile& elf, const std::string& file, Functions& functions) {
  const std::string called = file.substr(file.rfind('/') + 1);
  Functions unnamed;
  std::uint64_t named_until = 0;
  auto named = functions.begin();
  for (const UnwindFunction& one : unwind_functions(elf)) {
    for (; named != functions.end() && named->first <= one.begin; ++named)
      named_until = std::max(named_until, named->first + std::max<std::uint64_t>(1, named->second.bytes));
    if (one.begin >= named_until)
      unnamed.emplace(one.begin, Function{fmt::format("{}+{:#x}", called, one.begin), one.bytes});
  }
  functions.merge(unnamed);
}

// How far the file's own addresses are from those in memory.
std::optional<std::uint64_t> distance_of(const ElfFile& elf, const MappedPart& part) {
  constexpr std::uint64_t kPage = 4096;
  const auto segments = elf.segments();
  if (!segments) return std::nullopt;
  for (const Elf64_Phdr& segment : *segments) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const std::uint64_t begin = segment.p_offset / kPage * kPage;
    if (part.offset < begin || part.offset >= segment.p_offset + segment.p_filesz) continue;
    return part.begin.value - (segment.p_vaddr - segment.p_offset + part.offset);
  }
  return std::nullopt;
}

}  // namespace

Result<SymbolTable> read_mapped_symbols(ByteView file, ByteView apart, const std::string& name,
                                        const MappedPart& part) {
  const auto elf = ElfFile::open(file);
  if (!elf || !elf->is_for_x86_64())
    return fail({"cannot read the symbols of " + name, "it is not an ELF file for x86-64", ""});
  const auto distance = distance_of(*elf, part);
  if (!distance) return SymbolTable();
  Functions functions;
  append_functions(file, functions);
  append_functions(apart, functions);
  append_unnamed(*elf, name, functions);
  std::vector<Symbol> symbols;
  std::uint64_t known_until = 0;  // of the functions so far
  const auto is_inside = [&](std::uint64_t address) {
    return address >= part.begin.value && address < part.end.value;
  };
  const auto end_there = [&](std::uint64_t own) {
    if (is_inside(own + *distance)) symbols.push_back({GuestAddress(own + *distance), "", '?'});
  };
  for (const auto& [begin, function] : functions) {
    if (known_until != 0 && known_until < begin) end_there(known_until);
    if (is_inside(begin + *distance))
      symbols.push_back({GuestAddress(begin + *distance), readable_function_name(function.name), 'T'});
    known_until = function.bytes == 0 ? 0 : std::max(known_until, begin + function.bytes);
  }
  if (known_until != 0) end_there(known_until);
  return SymbolTable(std::move(symbols));
}

std::string debug_file_of(ByteView file) {
  const auto elf = ElfFile::open(file);
  const ElfFile::Section* section = elf ? elf->section(".note.gnu.build-id") : nullptr;
  if (section == nullptr) return "";
  // Elf64_Nhdr, "GNU\0", the identity.
  constexpr std::size_t kHeader = 16, kLeast = 2, kMost = 64;
  const ByteView note = elf->content(*section);
  const auto lengths = copy_at<Elf64_Nhdr>(note, 0);
  if (!lengths || lengths->n_descsz < kLeast || lengths->n_descsz > kMost ||
      !fits(note.size(), kHeader, lengths->n_descsz))
    return "";
  std::string identity;
  for (const std::uint8_t byte : note.subspan(kHeader, lengths->n_descsz))
    identity += fmt::format("{:02x}", byte);
  return fmt::format("usr/lib/debug/.build-id/{}/{}.debug", identity.substr(0, 2), identity.substr(2));
}

}  // namespace vtax
