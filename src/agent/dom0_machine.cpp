#include <fmt/format.h>
#include <sys/wait.h>

#include <optional>
#include <thread>

#include "agent/disks.h"
#include "agent/driver_domains.h"
#include "agent/driver_machine.h"
#include "agent/guest_connection.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/machine.h"
#include "agent/toolstack.h"
#include "agent/virtual_functions.h"
#include "agent/vmm_control.h"
#include "core/kernel_file.h"
#include "core/process_end.h"
#include "platform/backend_placement.h"
#include "platform/dead_guest.h"
#include "platform/placement.h"
#include "platform/wiring.h"
#include "platform/xen_balloon.h"
#include "platform/xenstore.h"

namespace vtax::agent {
namespace {

constexpr char kBridge[] = "xenbr0";
constexpr char kDomain0[] = "Domain-0";  // the domain's name in the ledger

Result<> create_guests(const DriverShape& shape, const std::string& type, DriverDomains& domains) {
  // Netback offers as many queues as Domain-0 has CPUs, unless it is told.
  if (shape.guest_cpus > 1)
    if (Result<> told = write_kernel_file("/sys/module/xen_netback/parameters/max_queues",
                                          std::to_string(shape.guest_cpus));
        !told)
      return told;
  for (int guest = 1; guest <= shape.guests; ++guest) {
    NewGuest wanted{guest,
                    lab::guest_name(guest),
                    shape.own_cpus_of(guest),
                    shape.guest_memory_mib,
                    type,
                    wiring::guest_mac(guest),
                    kBridge,
                    shape.guest_args,
                    {},
                    card_with_functions().has_value()};
    if (shape.driver_domains > 0) {
      wanted.bridge = lab::kDriverBridge;
      wanted.backend = lab::driver_name(lab::driver_of(guest, shape.driver_domains));
    }
    Result<> created = create_guest(wanted);
    if (created) created = plug_guest(domains, shape, guest);
    if (!created) return created;
  }
  return {};
}

std::optional<PlatformId> platform_of(const std::string& type) {
  if (type == "pv") return PlatformId::xen_pv;
  if (type == "pvh") return PlatformId::xen_pvh;
  if (type == "hvm") return PlatformId::xen_hvm;
  if (type == "hvm-pv") return PlatformId::xen_hvm_pv;
  return std::nullopt;
}

Result<> place_backends(const DriverShape& shape, PlatformId platform) {
  if (platform == PlatformId::xen_hvm || platform == PlatformId::xen_hvm_pv)
    if (Result<> placed = place_device_models(shape.backend_cpu()); !placed) return placed;
  // A fully virtualised guest's vif leads nowhere; a driver domain has one CPU.
  if (platform == PlatformId::xen_hvm || shape.driver_domains > 0) return {};
  for (int guest = 1; guest <= shape.guests; ++guest)
    if (Result<> placed = place_vif(lab::vif_of(guest), {shape.backend_cpu()}); !placed) return placed;
  return {};
}

// Behind the CPU of its network backend.
Result<std::string> give_xen_disk(int guest, EndpointClient& client, const std::string& disk,
                                  const DriverShape& shape) {
  if (Result<> attached = attach_disk(lab::guest_name(guest), disk, lab::kXenDisk); !attached)
    return fail(attached.error());
  auto path = take_disk(client, lab::kXenDisk);
  if (!path) return path;
  const int domain = lab::xen_domain_of(guest, shape.driver_domains);
  if (Result<> placed = place_vbd(fmt::format("{}.{}", domain, lab::kXenDisk), shape.backend_cpu()); !placed)
    return fail(placed.error());
  return path;
}

// A fully virtualised guest without paravirtual drivers: the device model's, over libxl's control socket.
Result<std::string> give_emulated_disk(int guest, EndpointClient& client, const std::string& disk) {
  const std::string control = fmt::format("/run/xen/qmp-libxl-{}", guest);
  if (Result<> plugged = plug_disk(control, disk, DiskModel::nvme); !plugged) return fail(plugged.error());
  return take_disk(client, lab::kEmulatedDisk);
}

// What each guest may have of the machine.
Result<> ration_guests(const LabPlan& plan, std::vector<EndpointClient>& guests) {
  const bool scheduled = plan.guest_weights != GuestWeights::equal || plan.guest_cap_percent > 0;
  Result<> done;
  for (int guest = 1; guest <= plan.guests && done; ++guest) {
    const std::string name = lab::guest_name(guest);
    if (scheduled)
      done = set_share(name, plan.scheduler, controller::weight_of(plan.guest_weights, guest),
                       plan.guest_cap_percent);
    if (done && plan.balloon_mib > 0) done = set_memory(name, plan.balloon_mib);
  }
  for (EndpointClient& guest : guests)
    if (done && plan.balloon_mib > 0)
      done = wait_for_memory(guest, plan.balloon_mib, std::chrono::seconds(20));
  return done;
}

// What they hold, for the result.
Result<nlohmann::json> facts_of_guests(std::vector<EndpointClient>& guests) {
  nlohmann::json memory = nlohmann::json::array();
  for (EndpointClient& guest : guests) {
    const auto kib = memory_kib_of(guest);
    if (!kib) return fail(kib.error());
    memory.push_back(*kib);
  }
  return nlohmann::json{{"guest_memory_kib", memory}};
}

// Xen tells that a domain has ended, and not which. What it printed last another program writes down
// meanwhile.
Error why_a_domain_ended(const std::vector<std::string>& domains) {
  constexpr std::chrono::milliseconds kWriting{300};
  std::this_thread::sleep_for(kWriting);
  for (const std::string& domain : domains) {
    std::string end = end_of_domain(domain);
    if (!end.empty())
      return error_of_dead_guest(domain + ": its domain has ended", std::move(end),
                                 guest_console_tail(domain, kPanicBytes));
  }
  return {"a domain of Xen's has ended", "xl list does not say which", "", ExitCode::trial_failed};
}

// A guest or driver domain that dies in a trial ends it at once.
std::shared_ptr<GuestEnds> ends_of_domains(const DriverShape& shape) {
  std::vector<std::string> names;
  for (int guest = 1; guest <= shape.guests; ++guest) names.push_back(lab::guest_name(guest));
  for (int driver = 1; driver <= shape.driver_domains; ++driver) names.push_back(lab::driver_name(driver));
  auto ends = std::make_shared<GuestEnds>();
  ends->add(Xenstore::ends_of_domains(), [names] { return why_a_domain_ended(names); });
  return ends;
}

Result<DriverMachine> bring_up() {
  const Result<std::string> type = read_kernel_file(lab::kGuestTypeFile);
  if (!type) return fail(type.error());
  const auto platform = platform_of(*type);
  if (!platform) return fail(Error{"read the guests' type", "it is '" + *type + "'", "", ExitCode::usage});
  const Result<DriverShape> shape = DriverShape::of_boot();
  if (!shape) return fail(shape.error());
  Result<> done = lab_ports::open();
  if (done) done = pin_unbound_work(lab::kDriverCpu);
  if (done) done = start_toolstack();
  if (done && shape->driver_domains == 0) done = make_guests_bridge(kBridge, shape->guests);
  if (!done) return fail(done.error());
  Result<DriverDomains> domains = create_driver_domains(*shape);
  if (!domains) return fail(domains.error());
  if (Result<> created = create_guests(*shape, *type, *domains); !created) return fail(created.error());
  Result<std::vector<EndpointClient>> guests = reach_guests(shape->guests);
  if (!guests) return fail(guests.error());
  if (Result<> placed = place_backends(*shape, *platform); !placed) return fail(placed.error());
  auto ends = ends_of_domains(*shape);
  auto modules = modules_of_all(kDomain0, *guests, domains->clients);
  if (!modules) return fail(modules.error());
  while (waitpid(-1, nullptr, WNOHANG) > 0) {  // what the toolstack left behind
  }
  const bool emulated = *platform == PlatformId::xen_hvm;
  return DriverMachine{
      *platform,
      {kDomain0, kBridge,
       [emulated](int guest, const std::string& backend, const std::vector<int>& cpus) {
         return emulated ? place_device_model(guest, cpus.front()) : place_vif(backend, cpus);
       }},
      *shape,
      [emulated, drivers = shape->driver_domains](int guest) {
        const int domain = lab::xen_domain_of(guest, drivers);
        return emulated ? lab::emulated_vif_of(domain) : lab::vif_of(domain);
      },
      [](int guest, const std::vector<int>& cpus) { return move_guest(lab::guest_name(guest), cpus); },
      [emulated, shape = *shape](int guest, EndpointClient& client, const std::string& disk) {
        return emulated ? give_emulated_disk(guest, client, disk) : give_xen_disk(guest, client, disk, shape);
      },
      [](int guest, const std::string& device) {
        Result<> done = give_away(device);
        return done ? give_device(lab::guest_name(guest), device) : done;
      },
      {},
      {},
      std::move(*guests),
      std::move(ends),
      std::move(*modules),
      ration_guests,
      facts_of_guests,
      std::move(domains->drivers),
      std::move(domains->clients)};
}

}  // namespace

Result<> run_dom0_machine() {
  Result<DriverMachine> machine = bring_up();
  const Result<> done = machine ? run_trial_with_guests(*machine) : Result<>(fail(machine.error()));
  if (done) return done;
  fmt::print(stderr, "the guest's console:\n{}\n", guest_console_tail(lab::guest_name(1)));
  const std::pair<const char*, std::string> more[] = {
      {"the driver domain's console", guest_console_tail(lab::driver_name(1))},
      {"its device model's log", device_model_tail(lab::guest_name(1))}};
  for (const auto& [what, text] : more)
    if (!text.empty()) fmt::print(stderr, "{}:\n{}\n", what, text);
  return done;
}

}  // namespace vtax::agent
