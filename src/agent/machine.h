#pragma once

#include "core/result.h"

// A whole lab machine's life, from booted to ready to be switched off: prepare, `ready`, snapshot, plan,
// trial, `result`. An error goes to the caller, who reports it.
namespace vtax::agent {

[[nodiscard]] Result<> run_native_machine();
[[nodiscard]] Result<> run_dom0_machine();
[[nodiscard]] Result<> run_kvm_machine();
// Serves the agent of Domain-0 or of KVM's host for ever.
[[nodiscard]] Result<> run_guest_machine();
// Likewise, as Xen's driver domain 1, 2, ...: with the guests' image.
[[nodiscard]] Result<> run_driver_domain(int driver);

}  // namespace vtax::agent
