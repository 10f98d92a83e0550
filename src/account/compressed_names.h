#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax {

// The names of an embedded, token-compressed symbol table, as scripts/kallsyms.c of Linux and tools/symbols.c
// of Xen write them. In both, and in every order of the tables since Linux 2.6:
//   num_syms     u32
//   names        for each symbol its length (one byte, or since Linux 6.1 two when the first has its high
//   bit:
//                low seven bits first) and that many token numbers
//   markers      u32 for every 256th symbol: its place in `names`
//   (seqs_of_names, three bytes a symbol, in Linux 6.2 and 6.3 only)
//   token_table  256 strings, NUL-terminated
//   token_index  u16 for every token: its place in token_table
// The first character of an expanded name is the type that nm prints.
struct CompressedNames {
  struct Name {
    char type;
    std::string text;
  };
  std::vector<Name> names;
  std::size_t num_syms_at = 0;      // offset of num_syms in the image
  std::size_t token_index_end = 0;  // offset of the first byte behind token_index
};

// Finds the tables by content: no header or symbol leads to them. Each of them is checked against the others,
// so what is found is either whole or refused. `image` may be anything; `what` begins the error.
[[nodiscard]] Result<CompressedNames> find_compressed_names(std::span<const std::uint8_t> image,
                                                            const std::string& what);

}  // namespace vtax
