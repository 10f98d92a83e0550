#pragma once

#include <string>

#include "account/symbol_table.h"
#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// The functions of a program that is linked at fixed addresses (ELF64 EXEC); empty when it was stripped.
[[nodiscard]] Result<SymbolTable> read_program_symbols(ByteView program, const std::string& name);

}  // namespace vtax
