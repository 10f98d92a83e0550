#include <fmt/format.h>
#include <sys/wait.h>

#include <thread>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/lab_trial.h"
#include "agent/machine.h"
#include "agent/toolstack.h"
#include "platform/kernel_file.h"
#include "platform/links.h"
#include "platform/placement.h"
#include "platform/wiring.h"
#include "platform/xen_pv.h"

namespace vtax::agent {
namespace {

constexpr char bridge[] = "xenbr0", vif[] = "vif1.0";

// Domain-0's own address is the bridge's.
Result<> make_bridge() {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<> done = wiring::make_bridge(*links, bridge, true);
  if (done) done = links->add_address(bridge, wiring::driver_ipv4, wiring::prefix_bits);
  if (done) done = links->add_neighbour(bridge, wiring::system_ipv4, wiring::system_mac);
  return done;
}

// The guest boots meanwhile; nothing tells when it listens.
Result<EndpointClient> reach_guest() {
  const auto watchdog = Watchdog::start(std::chrono::seconds(120));
  if (!watchdog) return fail(watchdog.error());
  while (true) {
    auto connection = tcp_connect({wiring::system_ipv4, lab::control_port}, 0, {}, *watchdog);
    if (connection) return EndpointClient(ControlChannel(std::move(*connection), lab::guest_name));
    if (watchdog->expired()) return fail(watchdog->timeout("reach the guest's agent"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<nlohmann::json> all_modules(EndpointClient& guest) {
  const auto answer = guest.ask({{"do", "modules"}}, std::chrono::seconds(10));
  if (!answer) return fail(answer.error());
  const auto theirs = sections_from(*answer, lab::guest_name);
  if (!theirs) return fail(theirs.error());
  std::vector<ModuleSection> all = module_sections("Domain-0");
  all.insert(all.end(), theirs->begin(), theirs->end());
  return to_json(all);
}

struct Ready {
  PlatformName platform;
  EndpointClient guest;
  nlohmann::json modules;
};

Result<Ready> bring_up() {
  const Result<std::string> type = read_kernel_file(lab::guest_type_file);
  if (!type) return fail(type.error());
  Result<> done = lab_ports::open();
  if (done) done = pin_unbound_work(lab::driver_cpu);
  if (done) done = start_toolstack();
  if (done) done = make_bridge();
  if (done) {
    done = create_guest(
        {lab::guest_name, lab::guest_cpus, lab::guest_memory_mib, *type, wiring::system_mac, bridge});
  }
  if (!done) return fail(done.error());
  Result<EndpointClient> guest = reach_guest();
  if (!guest) return fail(guest.error());
  if (Result<> placed = place_backend(vif, lab::driver_cpu); !placed) return fail(placed.error());
  const auto modules = all_modules(*guest);
  if (!modules) return fail(modules.error());
  while (waitpid(-1, nullptr, WNOHANG) > 0) {  // what the toolstack left behind
  }
  return Ready{*type == "pvh" ? PlatformName::xen_pvh : PlatformName::xen_pv, std::move(*guest), *modules};
}

Result<> do_self_check(const SelfCheck& check, Ready& ready) {
  if (check.share_cpu) {
    if (Result<> moved = move_guest(lab::guest_name, lab::driver_cpu); !moved) return moved;
  }
  Result<nlohmann::json> checked =
      check.guest ? check_beside_guest(check, ready.guest) : check_alone(check.work);
  if (!checked) return fail(checked.error());
  send_result(std::move(*checked), ready.modules);
  return {};
}

Result<> do_trial(Ready& ready) {
  const Result<Plan> plan = snapshot_and_read_plan();
  if (!plan) return fail(plan.error());
  if (plan->platform != ready.platform) {
    return fail(Error{"run the plan", "this machine's platform is another one", "", ExitCode::trial_failed});
  }
  if (Result<> announced = announce_on({0, 1}, 0); !announced) return announced;
  if (Result<> announced = ready.guest.announce(1); !announced) return announced;
  if (plan->self_check) return do_self_check(*plan->self_check, ready);
  const Result<Setup> setup = lab_setup(*plan);
  if (!setup) return fail(setup.error());
  const auto platform = make_xen_pv({lab::guest_name, vif, bridge, lab::guest_device}, ready.guest);
  return arrange_and_work(*plan, *platform, *setup, ready.modules);
}

}  // namespace

Result<> run_dom0_machine() {
  Result<Ready> ready = bring_up();
  Result<> done;
  if (ready) {
    done = do_trial(*ready);
  } else {
    done = fail(ready.error());
  }
  if (!done) fmt::print(stderr, "the guest's console:\n{}\n", guest_console_tail(lab::guest_name));
  return done;
}

}  // namespace vtax::agent
