#include "agent/driver_machine.h"

#include <fmt/format.h>

#include "agent/disks.h"
#include "agent/dom0_books.h"
#include "agent/guest_connection.h"
#include "agent/guest_cpus.h"
#include "agent/joined_peers.h"
#include "agent/kernel_counters.h"
#include "agent/lab_layout.h"
#include "agent/lab_trial.h"
#include "agent/macvtap.h"
#include "agent/other_machines.h"
#include "agent/profile_books.h"
#include "agent/virtual_functions.h"
#include "agent/watch_books.h"
#include "core/kernel_file.h"
#include "platform/links.h"
#include "platform/switched_guests.h"
#include "platform/wiring.h"
#include "subject/boot_words.h"

namespace vtax::agent {
namespace {

// Of guest time: a fully virtualised one, whose firmware reads its kernel byte by byte, takes more than two
// minutes. Several boot at once and share the driver domain's CPU.
constexpr std::chrono::seconds kBootLimit{200};

Result<> expect_plan_for(const DriverMachine& machine, const LabPlan& plan) {
  const char* why = nullptr;
  if (plan.platform != machine.platform) why = "this machine's platform is another one";
  if (plan.guests != machine.shape.guests) why = "this machine has another number of guests";
  if (plan.driver_domains != machine.shape.driver_domains && !plan.self_check)
    why = "this machine has another number of driver domains";
  if (why == nullptr) return {};
  return fail(Error{"run the plan", why, "", ExitCode::trial_failed});
}

Result<> announce_all(DriverMachine& machine) {
  Result<> announced = announce_on({lab::kDriverCpu, lab::kCardPeerCpu}, 0);
  for (const int cpu : machine.shape.more_cpus())
    if (announced) announced = announce_on({cpu}, 0);
  for (int guest = 1; guest <= machine.shape.guests && announced; ++guest)
    announced = machine.guests[static_cast<std::size_t>(guest - 1)].announce(guest);
  for (int driver = 1; driver <= machine.shape.driver_domains && announced; ++driver)
    announced = machine.driver_clients[static_cast<std::size_t>(driver - 1)].announce(
        lab::number_of_driver(driver, machine.shape.guests));
  return announced;
}

Result<> move_all(DriverMachine& machine, const std::vector<int>& cpus) {
  for (int guest = 1; guest <= machine.shape.guests; ++guest)
    if (Result<> moved = machine.move_guest(guest, cpus); !moved) return moved;
  return {};
}

// All of a guest's virtual CPUs on one.
std::vector<int> all_on(const DriverMachine& machine, int cpu) {
  return std::vector<int>(static_cast<std::size_t>(machine.shape.guest_cpus), cpu);
}

Result<> check_self(DriverMachine& machine, const SelfCheck& check) {
  if (check.share_cpu)
    if (Result<> moved = move_all(machine, all_on(machine, lab::kDriverCpu)); !moved) return moved;
  Result<nlohmann::json> checked =
      check.guests.empty() ? check_alone(check.work) : check_beside_guests(check, machine.guests);
  if (!checked) return fail(checked.error());
  send_result(std::move(*checked), machine.modules);
  return {};
}

Result<> place_guests(DriverMachine& machine, GuestCpu where) {
  if (where == GuestCpu::own) return {};
  if (where == GuestCpu::driver && machine.shape.driver_domains > 0) {
    for (int guest = 1; guest <= machine.shape.guests; ++guest)
      if (Result<> moved = machine.move_guest(guest, all_on(machine, machine.shape.cpu_of_driver_of(guest)));
          !moved)
        return moved;
    return {};
  }
  return move_all(
      machine, where == GuestCpu::driver ? all_on(machine, lab::kDriverCpu) : machine.shape.own_cpus_of(1));
}

// What guests with several CPUs have come up with, for the result; nothing of those with one, whose trials
// are not to be disturbed by a question. Error: a CPU or a queue is missing, and the trial would be another
// one.
Result<> expect_cpus_and_queues(DriverMachine& machine, const std::vector<BridgedGuest>& guests,
                                nlohmann::json& facts) {
  if (machine.shape.guest_cpus == 1) return {};
  nlohmann::json all = nlohmann::json::array();
  for (const BridgedGuest& guest : guests) {
    const auto found = cpus_and_queues_of(*guest.client, guest.device);
    if (!found) return fail(found.error());
    const int queues = facts_of(machine.platform).emulated_card ? 1 : machine.shape.guest_cpus;
    if (found->cpus != machine.shape.guest_cpus || found->queues != queues)
      return fail(Error{"run the plan",
                        fmt::format("a guest has {} CPUs and {} queues in place of {} and {}", found->cpus,
                                    found->queues, machine.shape.guest_cpus, queues),
                        "", ExitCode::trial_failed});
    all.push_back({{"cpus", found->cpus}, {"queues", found->queues}});
  }
  facts["guest_cpus"] = all;
  return {};
}

// Each guest's, as it calls it. The drivers come with them.
Result<std::vector<std::string>> give_disks(DriverMachine& machine) {
  const auto disks = make_disks(machine.shape.guests);
  if (!disks) return fail(disks.error());
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < disks->size(); ++i) {
    auto path = machine.give_disk(static_cast<int>(i) + 1, machine.guests[i], (*disks)[i]);
    if (!path) return fail(path.error());
    paths.push_back(std::move(*path));
  }
  auto modules = machine.list_modules();
  if (!modules) return fail(modules.error());
  machine.modules = std::move(*modules);
  return paths;
}

// The same of functions of the driver domain's card.
Result<std::vector<std::string>> devices_of_functions(DriverMachine& machine, const std::string& card) {
  if (Result<> given = give_functions(machine.shape.guests, card, machine.give_function); !given)
    return fail(given.error());
  std::vector<std::string> devices;
  for (EndpointClient& guest : machine.guests) {
    auto device = take_function(guest, static_cast<int>(devices.size()) + 1);
    if (!device) return fail(device.error());
    devices.push_back(std::move(*device));
  }
  if (machine.place_functions)
    if (Result<> placed = machine.place_functions(); !placed) return fail(placed.error());
  return devices;
}

// The same of taps on its cards.
Result<std::vector<std::string>> devices_of_macvtaps(DriverMachine& machine, const Setup& setup) {
  std::vector<std::string> devices;
  for (EndpointClient& client : machine.guests) {
    const int guest = static_cast<int>(devices.size()) + 1;
    const Result<> given = machine.give_macvtap(guest, setup.system_card_of(setup.wire_of(guest)));
    if (!given) return fail(given.error());
    auto device = take_macvtap(client, guest);
    if (!device) return fail(device.error());
    devices.push_back(std::move(*device));
  }
  return devices;
}

// The guests, each with the device that this trial's work has.
Result<std::vector<BridgedGuest>> guests_of_trial(DriverMachine& machine, Forwarding forwarding,
                                                  const Setup& setup) {
  const Result<std::vector<std::string>> devices =
      forwarding == Forwarding::vf ? devices_of_functions(machine, setup.system_card)
      : forwarding == Forwarding::macvtap
          ? devices_of_macvtaps(machine, setup)
          : std::vector<std::string>(machine.guests.size(), lab::kGuestDevice);
  if (!devices) return fail(devices.error());
  std::vector<BridgedGuest> guests;
  for (int guest = 1; guest <= machine.shape.guests; ++guest) {
    const auto place = static_cast<std::size_t>(guest - 1);
    guests.push_back({lab::guest_name(guest),
                      forwarding == Forwarding::macvtap ? lab::guest_macvtap(guest) : machine.backend(guest),
                      (*devices)[place], &machine.guests[place]});
  }
  return guests;
}

// Whether its kernels' modules are more than those of the boot.
bool loads_modules(const LabPlan& plan) {
  return plan.forwarding == Forwarding::nat || plan.forwarding == Forwarding::vf ||
         plan.forwarding == Forwarding::macvtap || plan.balloon_mib > 0;
}

}  // namespace

Result<DriverShape> DriverShape::of_boot() {
  const Result<std::string> line = read_kernel_file("/proc/cmdline");
  if (!line) return fail(line.error());
  const Result<MachineShape> shape = shape_from_words(*line);
  if (!shape) return fail(shape.error());
  return DriverShape{*shape};
}

int DriverShape::own_cpus() const {
  return driver_domains > 0 ? 1 : driver_cpus;
}

std::vector<int> DriverShape::more_cpus() const {
  std::vector<int> cpus;
  for (int cpu = lab::kSecondDriverCpu; cpu <= own_cpus(); ++cpu) cpus.push_back(cpu);
  return cpus;
}

int DriverShape::cpu_of_driver_of(int guest) const {
  return lab::cpu_of_driver(lab::driver_of(guest, driver_domains), driver_cpus);
}

std::vector<int> DriverShape::own_cpus_of(int guest) const {
  std::vector<int> cpus;
  const int first = driver_cpus + 1 + (guest - 1) * guest_cpus;  // behind the peer's
  for (int own = 0; own < guest_cpus; ++own) cpus.push_back(first + own);
  return cpus;
}

int DriverShape::backend_cpu() const {
  return own_cpus() > 1 ? lab::kSecondDriverCpu : lab::kDriverCpu;
}

Result<> make_guests_bridge(const std::string& bridge, int guests) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<> done = wiring::make_bridge(*links, bridge, true);
  if (done) done = links->add_address(bridge, wiring::kDriverIpv4, wiring::kPrefixBits);
  for (int guest = 1; guest <= guests && done; ++guest)
    done = links->add_neighbour(bridge, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  return done;
}

Result<std::vector<EndpointClient>> reach_guests(int guests) {
  std::vector<EndpointClient> reached;
  for (int guest = 1; guest <= guests; ++guest) {
    Result<EndpointClient> client =
        connect_to_guest(wiring::guest_ipv4(guest), lab::guest_name(guest), guests * kBootLimit);
    if (!client) return fail(client.error());
    reached.push_back(std::move(*client));
  }
  return reached;
}

Result<> run_trial_with_guests(DriverMachine& machine) {
  for (std::vector<EndpointClient>* clients : {&machine.guests, &machine.driver_clients})
    for (EndpointClient& client : *clients) client.end_with(machine.guest_ends);
  const Result<LabPlan> plan = snapshot_and_read_plan();
  if (!plan) return fail(plan.error());
  if (Result<> fits = expect_plan_for(machine, *plan); !fits) return fits;
  if (Result<> announced = announce_all(machine); !announced) return announced;
  if (plan->self_check) return check_self(machine, *plan->self_check);
  if (Result<> loaded = load_what_is_needed(*plan); !loaded) return loaded;
  Result<Setup> setup = lab_setup(*plan);
  if (!setup) return fail(setup.error());
  std::vector<EndpointClient> peers;
  if (Result<> joined = join_peers(*plan, peers, *setup); !joined) return joined;
  setup->more_driver_cpus = machine.shape.more_cpus();
  setup->guest_ends = machine.guest_ends;
  Result<> placed = place_guests(machine, plan->guest_cpu);
  if (placed && machine.ration) placed = machine.ration(*plan, machine.guests);
  if (!placed) return placed;
  if (plan->seat > 0) return serve_as_other_machine(machine, *plan, *setup);
  OtherMachines others;
  if (Result<> reached = others.reach(*plan, machine.driver, *setup); !reached) return reached;
  auto guests = guests_of_trial(machine, plan->forwarding, *setup);
  if (!guests) return fail(guests.error());
  if (loads_modules(*plan)) {
    auto modules = machine.list_modules();
    if (!modules) return fail(modules.error());
    machine.modules = std::move(*modules);
  }
  auto facts =
      machine.facts ? machine.facts(machine.guests) : Result<nlohmann::json>(nlohmann::json::object());
  if (!facts) return fail(facts.error());
  if (Result<> there = expect_cpus_and_queues(machine, *guests, *facts); !there) return there;
  const auto disks = controller::has_disk(*plan) ? give_disks(machine) : std::vector<std::string>();
  if (!disks) return fail(disks.error());
  for (std::size_t i = 0; i < machine.drivers.size(); ++i)
    machine.drivers[i].client = &machine.driver_clients[i];
  auto platform = plan->forwarding == Forwarding::vf
                      ? make_switched_guests(machine.driver.name, std::move(*guests))
                  : machine.drivers.empty()
                      ? make_bridged_guests(machine.driver, std::move(*guests))
                      : make_driven_guests(machine.driver.name, machine.drivers, std::move(*guests));
  if (plan->machines > 1)
    platform = make_with_guests_elsewhere(std::move(platform), machine.driver, others.guests(),
                                          plan->own_guests_ask);
  Dom0Books books(machine.shape.guests);
  CountersOfWindow counters;
  WatchBooks watch;
  ProfileBooks profile(sampling_of(*plan));
  if (plan->watch)
    if (Result<> opened = watch.open(); !opened) return opened;
  if (plan->profile_hz > 0)
    if (Result<> opened = profile.open(machine.driver.name, machine.guests); !opened) return opened;
  controller::WindowHooks hooks = plan->books            ? books.hooks()
                                  : plan->counters       ? counters.hooks()
                                  : plan->watch          ? watch.hooks()
                                  : plan->profile_hz > 0 ? profile.hooks()
                                                         : controller::WindowHooks();
  hooks.describe = [&facts, inner = hooks.describe](nlohmann::json& result) {
    if (inner) inner(result);
    result.update(*facts);
  };
  return arrange_and_work(*plan, *platform, *setup, machine.modules, hooks, *disks);
}

}  // namespace vtax::agent
