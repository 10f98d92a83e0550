#include "account/kallsyms.h"

#include <algorithm>
#include <optional>

#include "account/compressed_names.h"
#include "account/elf_symbols.h"
#include "core/elf_file.h"

namespace vtax {
namespace {

constexpr std::uint64_t kKernelHalf = 0xffffffff80000000;  // __START_KERNEL_map: the image lies behind it

struct Addresses {
  std::size_t offsets_at;
  std::size_t base_at;
};

constexpr std::size_t round_up(std::size_t n) {
  return (n + 7) & ~std::size_t{7};
}

// The address of every symbol, if they ascend as the kernel's binary search needs them to.
std::optional<std::vector<std::uint64_t>> read_addresses(ByteView image, const Addresses& at,
                                                         std::size_t count) {
  if (!fits(image.size(), at.offsets_at, 4 * count) || !fits(image.size(), at.base_at, 8))
    return std::nullopt;
  const auto base = load<std::uint64_t>(image, at.base_at);
  if (base < kKernelHalf) return std::nullopt;
  std::vector<std::int32_t> offsets(count);
  for (std::size_t i = 0; i < count; ++i) offsets[i] = load<std::int32_t>(image, at.offsets_at + 4 * i);
  const bool absolute_percpu =
      std::any_of(offsets.begin(), offsets.end(), [](auto offset) { return offset < 0; });
  std::vector<std::uint64_t> addresses;
  addresses.reserve(count);
  for (const std::int32_t offset : offsets) {
    const std::int64_t wide = offset;
    if (!absolute_percpu)
      addresses.push_back(base + static_cast<std::uint64_t>(wide));
    else
      addresses.push_back(wide >= 0 ? static_cast<std::uint64_t>(wide)
                                    : base + static_cast<std::uint64_t>(-1 - wide));
    if (addresses.size() > 1 && addresses.back() < addresses[addresses.size() - 2]) return std::nullopt;
  }
  return addresses;
}

// Since Linux 7.0 each entry says how far the symbol is from the entry itself.
std::optional<std::vector<std::uint64_t>> read_distances(ByteView image, std::size_t at, std::size_t count) {
  const auto elf = ElfFile::open(image);
  const auto segments = elf ? elf->segments() : std::nullopt;
  if (!segments || !fits(image.size(), at, 4 * count)) return std::nullopt;
  const auto loaded = std::find_if(segments->begin(), segments->end(), [&](const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD && at >= segment.p_offset && at - segment.p_offset < segment.p_filesz;
  });
  if (loaded == segments->end()) return std::nullopt;
  const std::uint64_t table = loaded->p_vaddr + (at - loaded->p_offset);
  std::vector<std::uint64_t> addresses;
  addresses.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t distance = load<std::int32_t>(image, at + 4 * i);
    addresses.push_back(table + 4 * i + static_cast<std::uint64_t>(distance));
    if (addresses.back() < kKernelHalf || (i > 0 && addresses[i] < addresses[i - 1])) return std::nullopt;
  }
  return addresses;
}

std::optional<std::vector<std::uint64_t>> find_addresses(ByteView image, const CompressedNames& names) {
  const std::size_t count = names.names.size();
  const std::size_t behind = round_up(names.token_index_end);
  if (auto found = read_addresses(image, {behind, behind + round_up(4 * count)}, count)) return found;
  // By now tables are aligned as their entries are, to 4 bytes; in the first of these kernels it was 8.
  for (const std::size_t at : {(names.token_index_end + 3) & ~std::size_t{3}, behind})
    if (auto found = read_distances(image, at, count)) return found;
  const std::size_t before = round_up(4 * count) + 8;
  if (names.num_syms_at < before) return std::nullopt;
  return read_addresses(image, {names.num_syms_at - before, names.num_syms_at - 8}, count);
}

}  // namespace

Result<SymbolTable> read_kallsyms(ByteView vmlinux, const std::string& name) {
  std::vector<Symbol> symbols;
  const auto elf = read_elf_symbols(vmlinux, name);
  if (!elf) return fail(elf.error());
  for (const ElfSymbol& symbol : *elf)
    symbols.push_back({GuestAddress(symbol.value), symbol.name, symbol.type});
  if (!symbols.empty()) return SymbolTable(std::move(symbols));

  const std::string what = "cannot read the kernel symbols of " + name;
  auto names = find_compressed_names(vmlinux, what);
  if (!names) return fail(names.error());
  const auto addresses = find_addresses(vmlinux, *names);
  if (!addresses)
    return fail({what, "its names are there but their addresses are not in a known form",
                 "the forms of Linux 5.10 to 7.2 for x86-64 are known; of another give the build's vmlinux, "
                 "which has its own symbol table"});
  symbols.reserve(addresses->size());
  for (std::size_t i = 0; i < addresses->size(); ++i)
    symbols.push_back({GuestAddress((*addresses)[i]), std::move(names->names[i].text), names->names[i].type});
  return SymbolTable(std::move(symbols));
}

}  // namespace vtax
