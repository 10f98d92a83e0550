#pragma once

namespace vtax::agent {

// Xen's toolstack runs a program for each new network backend, by default one that is called this.
inline constexpr char vif_script[] = "vif-bridge";

// That program: "online" puts the backend into its bridge and says so in xenstore; "offline" has nothing to
// do. What it is about comes in the environment (vif, XENBUS_PATH). Returns an exit code.
[[nodiscard]] int run_as_vif_script(int argument_count, char** arguments);

}  // namespace vtax::agent
