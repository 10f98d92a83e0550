#pragma once

#include <string>

#include "account/symbol_table.h"
#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// The symbols of a Xen hypervisor from its uncompressed multiboot image (ELF32 around x86-64 code, as xen.gz
// holds it), by the compressed table that Xen carries for its own panics (tools/symbols.c of Xen). The
// addresses,
//   symbols_offsets  u32 for each symbol, from XEN_VIRT_START,
// stand right before num_syms. Xen calls local symbols "file.c#name"; here the file stays only where the name
// alone would be ambiguous. `name` is the file's name, for errors.
[[nodiscard]] Result<SymbolTable> read_xen_symbols(ByteView xen, const std::string& name);

// Where Xen for x86-64 runs whatever its physical address: XEN_VIRT_START of
// xen/include/asm-x86/config.h, 4.11 and later.
inline constexpr std::uint64_t kXenVirtualStart = 0xffff82d040000000;

}  // namespace vtax
