#include <fmt/format.h>
#include <sys/wait.h>

#include <thread>

#include "agent/boot_word.h"
#include "agent/guest_connection.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/lab_trial.h"
#include "agent/machine.h"
#include "agent/toolstack.h"
#include "platform/kernel_file.h"
#include "platform/links.h"
#include "platform/placement.h"
#include "platform/wiring.h"
#include "platform/xen_balloon.h"
#include "platform/xen_pv.h"

namespace vtax::agent {
namespace {

constexpr char bridge[] = "xenbr0";

// Domain-0's own address is the bridge's.
Result<> make_bridge(int guests) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<> done = wiring::make_bridge(*links, bridge, true);
  if (done) done = links->add_address(bridge, wiring::driver_ipv4, wiring::prefix_bits);
  for (int guest = 1; guest <= guests && done; ++guest)
    done = links->add_neighbour(bridge, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  return done;
}

Result<> create_guests(int guests, int driver_cpus, const std::string& type) {
  const Result<int> memory =
      boot_number(lab::guest_memory_word, lab::most_guest_memory_mib, lab::guest_memory_mib);
  if (!memory) return fail(memory.error());
  for (int guest = 1; guest <= guests; ++guest) {
    const Result<> created =
        create_guest({guest, lab::guest_name(guest), std::to_string(lab::own_guest_cpu(guest, driver_cpus)),
                      *memory, type, wiring::guest_mac(guest), bridge});
    if (!created) return created;
  }
  return {};
}

struct Ready {
  PlatformName platform;
  std::vector<EndpointClient> guests;
  nlohmann::json modules;
  int driver_cpus = 1;
};

Result<std::vector<EndpointClient>> reach_guests(int guests, int driver_cpus) {
  std::vector<EndpointClient> reached;
  for (int guest = 1; guest <= guests; ++guest) {
    Result<EndpointClient> client = connect_to_guest(wiring::guest_ipv4(guest), lab::guest_name(guest));
    if (!client) return fail(client.error());
    reached.push_back(std::move(*client));
    const Result<> placed =
        place_backend(lab::guest_vif(guest), driver_cpus > 1 ? lab::second_driver_cpu : lab::driver_cpu);
    if (!placed) return fail(placed.error());
  }
  return reached;
}

Result<Ready> bring_up() {
  const Result<std::string> type = read_kernel_file(lab::guest_type_file);
  if (!type) return fail(type.error());
  const Result<int> count = boot_number(lab::guests_word, lab::most_guests);
  if (!count) return fail(count.error());
  const Result<int> driver_cpus = boot_number(lab::driver_cpus_word, lab::most_driver_cpus);
  if (!driver_cpus) return fail(driver_cpus.error());
  Result<> done = lab_ports::open();
  if (done) done = pin_unbound_work(lab::driver_cpu);
  if (done) done = start_toolstack();
  if (done) done = make_bridge(*count);
  if (done) done = create_guests(*count, *driver_cpus, *type);
  if (!done) return fail(done.error());
  Result<std::vector<EndpointClient>> guests = reach_guests(*count, *driver_cpus);
  if (!guests) return fail(guests.error());
  const auto modules = modules_of_all("Domain-0", *guests);
  if (!modules) return fail(modules.error());
  while (waitpid(-1, nullptr, WNOHANG) > 0) {  // what the toolstack left behind
  }
  return Ready{*type == "pvh" ? PlatformName::xen_pvh : PlatformName::xen_pv, std::move(*guests), *modules,
               *driver_cpus};
}

Result<> do_self_check(const SelfCheck& check, Ready& ready) {
  if (check.share_cpu) {
    if (Result<> moved = move_guest(lab::guest_name(1), lab::driver_cpu); !moved) return moved;
  }
  Result<nlohmann::json> checked =
      check.guest ? check_beside_guest(check, ready.guests.front()) : check_alone(check.work);
  if (!checked) return fail(checked.error());
  send_result(std::move(*checked), ready.modules);
  return {};
}

// What each guest may have of the machine.
Result<> ration_guests(const Plan& plan, std::vector<EndpointClient>& guests) {
  const DriverPlacement& shares = plan.driver;
  const bool scheduled = shares.weights != GuestWeights::equal || shares.cap_percent > 0;
  Result<> done;
  for (int guest = 1; guest <= plan.guests && done; ++guest) {
    const std::string name = lab::guest_name(guest);
    if (scheduled)
      done = set_share(name, shares.scheduler, weight_of(shares.weights, guest), shares.cap_percent);
    if (done && shares.balloon_mib > 0) done = set_memory(name, shares.balloon_mib);
  }
  for (EndpointClient& guest : guests)
    if (done && shares.balloon_mib > 0)
      done = wait_for_memory(guest, shares.balloon_mib, std::chrono::seconds(20));
  return done;
}

Result<> place_guests(const Plan& plan, int driver_cpus) {
  if (plan.guest_cpu == GuestCpu::own) return {};
  const int cpu = plan.guest_cpu == GuestCpu::driver ? lab::driver_cpu : lab::own_guest_cpu(1, driver_cpus);
  for (int guest = 1; guest <= plan.guests; ++guest)
    if (Result<> moved = move_guest(lab::guest_name(guest), cpu); !moved) return moved;
  return {};
}

Result<> do_trial(Ready& ready) {
  const Result<Plan> plan = snapshot_and_read_plan();
  if (!plan) return fail(plan.error());
  if (plan->platform != ready.platform) {
    return fail(Error{"run the plan", "this machine's platform is another one", "", ExitCode::trial_failed});
  }
  if (plan->guests != static_cast<int>(ready.guests.size())) {
    return fail(
        Error{"run the plan", "this machine has another number of guests", "", ExitCode::trial_failed});
  }
  if (Result<> announced = announce_on({0, 1}, 0); !announced) return announced;
  if (ready.driver_cpus > 1)
    if (Result<> announced = announce_on({lab::second_driver_cpu}, 0); !announced) return announced;
  std::vector<XenGuest> guests;
  for (int guest = 1; guest <= plan->guests; ++guest) {
    EndpointClient& client = ready.guests[static_cast<std::size_t>(guest - 1)];
    if (Result<> announced = client.announce(guest); !announced) return announced;
    guests.push_back({lab::guest_name(guest), lab::guest_vif(guest), bridge, lab::guest_device, &client});
  }
  if (plan->self_check) return do_self_check(*plan->self_check, ready);
  Result<Setup> setup = lab_setup(*plan);
  if (!setup) return fail(setup.error());
  if (ready.driver_cpus > 1) setup->second_driver_cpu = lab::second_driver_cpu;
  Result<> placed = place_guests(*plan, ready.driver_cpus);
  if (placed) placed = ration_guests(*plan, ready.guests);
  if (placed) placed = load_what_is_needed(*plan);
  if (!placed) return placed;
  if (plan->driver.forwarding == Forwarding::nat) {
    auto modules = modules_of_all("Domain-0", ready.guests);
    if (!modules) return fail(modules.error());
    ready.modules = std::move(*modules);
  }
  nlohmann::json memory = nlohmann::json::array();
  for (EndpointClient& guest : ready.guests) {
    const auto kib = memory_kib_of(guest);
    if (!kib) return fail(kib.error());
    memory.push_back(*kib);
  }
  const auto platform = make_xen_pv(std::move(guests));
  return arrange_and_work(*plan, *platform, *setup, ready.modules, {{"guest_memory_kib", memory}});
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
  if (!done) fmt::print(stderr, "the guest's console:\n{}\n", guest_console_tail(lab::guest_name(1)));
  return done;
}

}  // namespace vtax::agent
