#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

// The lab machine's devices, by port I/O: that needs no driver, raises no interrupt, and works in Xen's
// Domain-0 as on the bare machine (docs/design/architecture.md, "The lab machine").
namespace vtax::agent::lab_ports {

// Once, before any other call here.
[[nodiscard]] Result<> open();

// Gives the ports back until the next open(). While a process has any, a PV kernel tells Xen so at every
// return to user space: a hypercall each.
void close();

// To the host side (isa-debugcon).
void write(std::string_view text);

// The machine stops for its snapshot while this sleeps, and resumes in this sleep, maybe in another QEMU. The
// stop is a watchdog's: it comes at a fixed virtual time when every CPU is idle, so that nothing depends on
// how fast QEMU's threads notice it. (A stop from within an instruction does: docs/design/lab-image.md, "The
// snapshot".)
void sleep_through_snapshot();

// The fw_cfg file `name` up to its padding of spaces.
[[nodiscard]] Result<std::string> read_file(std::string_view name);

}  // namespace vtax::agent::lab_ports
