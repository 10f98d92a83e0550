#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

// The lab machine's devices, by port I/O: that needs no driver, raises no interrupt, and works in Xen's
// Domain-0 as on the bare machine (docs/design/architecture.md, "The lab machine").
namespace vtax::agent::lab_ports {

// Once, before any other call here.
[[nodiscard]] Result<> open();

// To the host side (isa-debugcon).
void write(std::string_view text);

// Stops the machine at this instruction (pvpanic); returns when it is resumed, maybe in another QEMU.
void stop_machine();

// The fw_cfg file `name` up to its padding of spaces. Each byte costs an exit to Xen in Domain-0, so it is
// read only as far as it says something.
[[nodiscard]] Result<std::string> read_file(std::string_view name);

}  // namespace vtax::agent::lab_ports
