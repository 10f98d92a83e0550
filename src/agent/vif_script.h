#pragma once

namespace vtax::agent {

// Xen's toolstack runs a program for each new network backend, by default one that is called this.
inline constexpr char kVifScript[] = "vif-bridge";

// That program: "online" puts the backend into its bridge and says so in xenstore; "add type_if=tap" puts the
// tap of a card that the device model emulates into the same bridge; all else has nothing to do. What it is
// about comes in the environment (XENBUS_PATH, and vif or INTERFACE). Returns an exit code.
[[nodiscard]] int run_as_vif_script(int argument_count, char** arguments);

}  // namespace vtax::agent
