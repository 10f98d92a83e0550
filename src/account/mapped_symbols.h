#pragma once

#include <cstdint>
#include <string>

#include "account/symbol_table.h"
#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// A part of an ELF file that lies in a program's memory.
struct MappedPart {
  GuestAddress begin, end;
  std::uint64_t offset = 0;  // of `begin` in the file
};

// The functions there, by their addresses in memory: those that the file exports and, where it was not
// stripped, all; `apart`, a file with the same code's symbols (debug_file_of()), may be empty. Others that
// its unwinding table knows are called by where they begin in the file `name`: "redis-server+0x1c40". Where
// no function is known to be, a symbol that is no text stands, so that nothing bears its neighbour's name.
// Error: no ELF file for x86-64.
[[nodiscard]] Result<SymbolTable> read_mapped_symbols(ByteView file, ByteView apart, const std::string& name,
                                                      const MappedPart& part);

// Where a distribution keeps the symbols that it took from this file: usr/lib/debug/.build-id/ab/cdef.debug,
// by its build's identity; empty without one.
[[nodiscard]] std::string debug_file_of(ByteView file);

}  // namespace vtax
