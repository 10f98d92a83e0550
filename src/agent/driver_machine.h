#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/guest_connection.h"
#include "agent/lab_plan.h"
#include "core/result.h"
#include "platform/bridged_guests.h"
#include "platform/driven_guests.h"

// What Xen's Domain-0 and KVM's host do alike.
namespace vtax::agent {

// The machine's shape, from the kernel's command line, as the driver domain sees it.
struct DriverShape : MachineShape {
  [[nodiscard]] static Result<DriverShape> of_boot();
  // Of this domain, besides the peer's: with driver domains the second one is the first of those's.
  [[nodiscard]] int own_cpus() const;
  // Those besides its first.
  [[nodiscard]] std::vector<int> more_cpus() const;
  // With driver domains: of the one that has this guest's backend.
  [[nodiscard]] int cpu_of_driver_of(int guest) const;
  // Of the guests' network backends.
  [[nodiscard]] int backend_cpu() const;
  // Of guest 1, 2, ...'s first virtual CPU, its second, ...: CPUs of their own behind the driver domain's.
  [[nodiscard]] std::vector<int> own_cpus_of(int guest) const;
};

// A driver domain whose guests are up.
struct DriverMachine {
  PlatformId platform = PlatformId::xen_pv;
  DriverDomain driver;
  DriverShape shape;
  std::function<std::string(int guest)> backend;  // of guest 1, 2, ...: its network device here
  // Its virtual CPUs go to other CPUs, the first one to the first of these.
  std::function<Result<>(int guest, const std::vector<int>& cpus)> move_guest;
  // Gives it a block device of this domain as its disk: the disk's path there.
  std::function<Result<std::string>(int guest, EndpointClient& client, const std::string& disk)> give_disk;
  // Gives it a device that has a PCI name here ("0000:00:10.0").
  std::function<Result<>(int guest, const std::string& device)> give_function;
  // What this domain does for such a device that a guest uses goes to the backends' CPU; empty: nothing.
  std::function<Result<>()> place_functions;
  // Gives it a macvtap on this domain's network device `card` as a second one; empty: nobody here can.
  std::function<Result<>(int guest, const std::string& card)> give_macvtap;
  std::vector<EndpointClient> guests;           // their agents
  std::shared_ptr<const GuestEnds> guest_ends;  // and those of driver domains
  nlohmann::json modules;                       // of all domains' kernels
  // What each guest may have of the machine, and what is then known of them for the result; empty: nothing.
  std::function<Result<>(const LabPlan& plan, std::vector<EndpointClient>& guests)> ration = {};
  std::function<Result<nlohmann::json>(std::vector<EndpointClient>& guests)> facts = {};
  // Where others than this domain have the cards, what they are; their clients are in `driver_clients`.
  std::vector<RemoteDriver> drivers = {};
  std::vector<EndpointClient> driver_clients = {};

  [[nodiscard]] Result<nlohmann::json> list_modules() {
    return modules_of_all(driver.name, guests, driver_clients);
  }
};

// The bridge with the driver domain's own address, which knows its guests'.
[[nodiscard]] Result<> make_guests_bridge(const std::string& bridge, int guests);

// The agents of guests 1 to `guests`, which boot meanwhile.
[[nodiscard]] Result<std::vector<EndpointClient>> reach_guests(int guests);

// From `ready` to `result`: snapshot, plan, trial.
[[nodiscard]] Result<> run_trial_with_guests(DriverMachine& machine);

}  // namespace vtax::agent
