#include "agent/driver_machine.h"

#include "agent/boot_word.h"
#include "agent/disks.h"
#include "agent/dom0_books.h"
#include "agent/guest_connection.h"
#include "agent/kernel_counters.h"
#include "agent/lab_layout.h"
#include "agent/lab_trial.h"
#include "agent/watch_books.h"
#include "platform/links.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

// Of guest time: a fully virtualised one, whose firmware reads its kernel byte by byte, takes more than two
// minutes. Several boot at once and share the driver domain's CPU.
constexpr std::chrono::seconds boot_limit{200};

Result<> expect_plan_for(const DriverMachine& machine, const Plan& plan) {
  const char* why = nullptr;
  if (plan.platform != machine.platform) why = "this machine's platform is another one";
  if (plan.guests != machine.shape.guests) why = "this machine has another number of guests";
  if (plan.driver.domains != machine.shape.driver_domains && !plan.self_check)
    why = "this machine has another number of driver domains";
  if (why == nullptr) return {};
  return fail(Error{"run the plan", why, "", ExitCode::trial_failed});
}

Result<> announce_all(DriverMachine& machine) {
  Result<> announced = announce_on({lab::driver_cpu, lab::card_peer_cpu}, 0);
  if (announced && machine.shape.own_cpus() > 1) announced = announce_on({lab::second_driver_cpu}, 0);
  for (int guest = 1; guest <= machine.shape.guests && announced; ++guest)
    announced = machine.guests[static_cast<std::size_t>(guest - 1)].announce(guest);
  for (int driver = 1; driver <= machine.shape.driver_domains && announced; ++driver)
    announced = machine.driver_clients[static_cast<std::size_t>(driver - 1)].announce(
        lab::number_of_driver(driver, machine.shape.guests));
  return announced;
}

Result<> move_all(DriverMachine& machine, int cpu) {
  for (int guest = 1; guest <= machine.shape.guests; ++guest)
    if (Result<> moved = machine.move_guest(guest, cpu); !moved) return moved;
  return {};
}

Result<> check_self(DriverMachine& machine, const SelfCheck& check) {
  if (check.share_cpu)
    if (Result<> moved = move_all(machine, lab::driver_cpu); !moved) return moved;
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
      if (Result<> moved = machine.move_guest(guest, machine.shape.cpu_of_driver_of(guest)); !moved)
        return moved;
    return {};
  }
  return move_all(machine, where == GuestCpu::driver ? lab::driver_cpu
                                                     : lab::own_guest_cpu(1, machine.shape.driver_cpus));
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

}  // namespace

Result<DriverShape> DriverShape::of_boot() {
  const Result<int> guests = boot_number(lab::guests_word, lab::most_guests);
  if (!guests) return fail(guests.error());
  const Result<int> driver_cpus = boot_number(lab::driver_cpus_word, lab::most_driver_cpus);
  if (!driver_cpus) return fail(driver_cpus.error());
  const Result<int> driver_domains = boot_number(lab::driver_domains_word, lab::most_driver_domains, 0);
  if (!driver_domains) return fail(driver_domains.error());
  return DriverShape{*guests, *driver_cpus, *driver_domains};
}

int DriverShape::own_cpus() const {
  return driver_domains > 0 ? 1 : driver_cpus;
}

int DriverShape::cpu_of_driver_of(int guest) const {
  return lab::cpu_of_driver(lab::driver_of(guest, driver_domains), driver_cpus);
}

int DriverShape::backend_cpu() const {
  return own_cpus() > 1 ? lab::second_driver_cpu : lab::driver_cpu;
}

Result<> make_guests_bridge(const std::string& bridge, int guests) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  Result<> done = wiring::make_bridge(*links, bridge, true);
  if (done) done = links->add_address(bridge, wiring::driver_ipv4, wiring::prefix_bits);
  for (int guest = 1; guest <= guests && done; ++guest)
    done = links->add_neighbour(bridge, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  return done;
}

Result<std::vector<EndpointClient>> reach_guests(int guests) {
  std::vector<EndpointClient> reached;
  for (int guest = 1; guest <= guests; ++guest) {
    Result<EndpointClient> client =
        connect_to_guest(wiring::guest_ipv4(guest), lab::guest_name(guest), guests * boot_limit);
    if (!client) return fail(client.error());
    reached.push_back(std::move(*client));
  }
  return reached;
}

Result<> run_trial_with_guests(DriverMachine& machine) {
  const Result<Plan> plan = snapshot_and_read_plan();
  if (!plan) return fail(plan.error());
  if (Result<> fits = expect_plan_for(machine, *plan); !fits) return fits;
  if (Result<> announced = announce_all(machine); !announced) return announced;
  if (plan->self_check) return check_self(machine, *plan->self_check);
  Result<Setup> setup = lab_setup(*plan);
  if (!setup) return fail(setup.error());
  if (machine.shape.own_cpus() > 1) setup->second_driver_cpu = lab::second_driver_cpu;
  Result<> placed = place_guests(machine, plan->guest_cpu);
  if (placed && machine.ration) placed = machine.ration(*plan, machine.guests);
  if (placed) placed = load_what_is_needed(*plan);
  if (!placed) return placed;
  if (plan->driver.forwarding == Forwarding::nat || plan->driver.balloon_mib > 0) {
    auto modules = machine.list_modules();
    if (!modules) return fail(modules.error());
    machine.modules = std::move(*modules);
  }
  const auto facts =
      machine.facts ? machine.facts(machine.guests) : Result<nlohmann::json>(nlohmann::json::object());
  if (!facts) return fail(facts.error());
  const auto disks = has_disk(*plan) ? give_disks(machine) : std::vector<std::string>();
  if (!disks) return fail(disks.error());
  std::vector<BridgedGuest> guests;
  for (int guest = 1; guest <= machine.shape.guests; ++guest)
    guests.push_back({lab::guest_name(guest), machine.backend(guest), lab::guest_device,
                      &machine.guests[static_cast<std::size_t>(guest - 1)]});
  for (std::size_t i = 0; i < machine.drivers.size(); ++i)
    machine.drivers[i].client = &machine.driver_clients[i];
  const auto platform = machine.drivers.empty()
                            ? make_bridged_guests(machine.driver, std::move(guests))
                            : make_driven_guests(machine.driver.name, machine.drivers, std::move(guests));
  Dom0Books books(machine.shape.guests);
  WatchBooks watch;
  CountersOfWindow counters;
  WindowHooks hooks = plan->books      ? books.hooks()
                      : plan->counters ? counters.hooks()
                      : plan->watch    ? watch.hooks()
                                       : WindowHooks();
  if (plan->watch)
    if (Result<> opened = watch.open(); !opened) return opened;
  hooks.describe = [&facts, inner = hooks.describe](nlohmann::json& result) {
    if (inner) inner(result);
    result.update(*facts);
  };
  return arrange_and_work(*plan, *platform, *setup, machine.modules, hooks, *disks);
}

}  // namespace vtax::agent
