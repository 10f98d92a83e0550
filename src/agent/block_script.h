#pragma once

namespace vtax::agent {

// Xen's toolstack runs a program for each new block backend, by default one that is called this.
inline constexpr char kBlockScript[] = "block";

// That program: "add" tells blkback, in xenstore, which block device is behind it; "remove" has nothing to
// do. What it is about comes in the environment (XENBUS_PATH). Returns an exit code.
[[nodiscard]] int run_as_block_script(int argument_count, char** arguments);

}  // namespace vtax::agent
