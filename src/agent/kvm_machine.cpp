#include <fmt/format.h>

#include "agent/guest_connection.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/lab_trial.h"
#include "agent/machine.h"
#include "agent/vmm.h"
#include "platform/backend_placement.h"
#include "platform/bridged_guests.h"
#include "platform/kernel_file.h"
#include "platform/links.h"
#include "platform/placement.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

constexpr char kvm_bridge[] = "br0", kvm_tap[] = "tap1";
constexpr char kvm_host[] = "host";  // the domain's name in the ledger

// The host's own address is the bridge's.
Result<> make_kvm_bridge() {
  Result<> done = make_tap(kvm_tap);
  if (!done) return done;
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  done = wiring::make_bridge(*links, kvm_bridge, true);
  if (done) done = links->add_address(kvm_bridge, wiring::driver_ipv4, wiring::prefix_bits);
  if (done) done = links->add_neighbour(kvm_bridge, wiring::system_ipv4, wiring::system_mac);
  if (done) done = wiring::plug(*links, kvm_tap, kvm_bridge, true);
  return done;
}

struct KvmReady {
  PlatformName platform;
  pid_t vmm;
  EndpointClient guest;
  nlohmann::json modules;
};

Result<KvmReady> bring_kvm_up() {
  const Result<std::string> backend = read_kernel_file(lab::guest_backend_file);
  if (!backend) return fail(backend.error());
  const bool vhost = *backend == "vhost";
  Result<> done = lab_ports::open();
  if (done) done = pin_unbound_work(lab::driver_cpu);
  if (done) done = make_kvm_bridge();
  if (!done) return fail(done.error());
  const auto vmm = start_vmm({lab::guest_name(1), lab::guest_memory_mib, wiring::system_mac, kvm_tap, vhost});
  if (!vmm) return fail(vmm.error());
  Result<EndpointClient> guest = connect_to_guest(wiring::system_ipv4, lab::guest_name(1));
  if (!guest) return fail(guest.error());
  if (Result<> placed = place_vmm(*vmm, lab::inside_system_cpu, lab::driver_cpu); !placed)
    return fail(placed.error());
  const auto modules = modules_of_all(kvm_host, {&*guest, 1});
  if (!modules) return fail(modules.error());
  return KvmReady{vhost ? PlatformName::kvm : PlatformName::kvm_qemu, *vmm, std::move(*guest), *modules};
}

Result<> do_kvm_self_check(const SelfCheck& check, KvmReady& ready) {
  if (check.share_cpu) {
    if (Result<> moved = place_vmm(ready.vmm, lab::driver_cpu, lab::driver_cpu); !moved) return moved;
  }
  Result<nlohmann::json> checked =
      check.guest ? check_beside_guest(check, ready.guest) : check_alone(check.work);
  if (!checked) return fail(checked.error());
  send_result(std::move(*checked), ready.modules);
  return {};
}

Result<> do_kvm_trial(KvmReady& ready) {
  const Result<Plan> plan = snapshot_and_read_plan();
  if (!plan) return fail(plan.error());
  if (plan->platform != ready.platform) {
    return fail(Error{"run the plan", "this machine's platform is another one", "", ExitCode::trial_failed});
  }
  if (Result<> announced = announce_on({0, 1, 2}, 0); !announced) return announced;
  if (Result<> announced = ready.guest.announce(1); !announced) return announced;
  if (plan->self_check) return do_kvm_self_check(*plan->self_check, ready);
  const Result<Setup> setup = lab_setup(*plan);
  if (!setup) return fail(setup.error());
  const auto platform = make_bridged_guests({kvm_host, kvm_bridge},
                                            {{lab::guest_name(1), kvm_tap, lab::guest_device, &ready.guest}});
  return arrange_and_work(*plan, *platform, *setup, ready.modules);
}

}  // namespace

Result<> run_kvm_machine() {
  Result<KvmReady> ready = bring_kvm_up();
  const Result<> done = ready ? do_kvm_trial(*ready) : Result<>(fail(ready.error()));
  if (!done) fmt::print(stderr, "the guest's console:\n{}\n", vmm_console_tail(lab::guest_name(1)));
  return done;
}

}  // namespace vtax::agent
