#include "agent/boot_word.h"
#include "agent/disks.h"
#include "agent/guest_connection.h"
#include "agent/guest_cpus.h"
#include "agent/guest_lifetime.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/machine.h"
#include "agent/macvtap.h"
#include "agent/other_machines.h"
#include "agent/profile_books.h"
#include "agent/self_check.h"
#include "agent/virtual_functions.h"
#include "platform/bridged_guests.h"
#include "platform/links.h"
#include "platform/wiring.h"
#include "platform/xen_balloon.h"
#include "workload/orders/local_orders.h"
#include "workload/traffic/endpoint.h"

namespace vtax::agent {
namespace {

Result<> configure_network(int guest) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto device = wait_for_interface(*links, wiring::guest_mac(guest));
  if (!device) return fail(device.error());
  Result<> done = links->set_up(*device);
  if (done) done = links->add_address(*device, wiring::guest_ipv4(guest), wiring::kPrefixBits);
  if (done) done = links->add_neighbour(*device, wiring::kDriverIpv4, wiring::kDriverMac);
  if (done) done = links->add_neighbour(*device, wiring::kPeerIpv4, wiring::kPeerMac);
  // For trials in which the driver domain routes.
  if (done) done = links->add_route("0.0.0.0", 0, *device, wiring::kDriverIpv4);
  return done;
}

std::optional<Result<nlohmann::json>> obey(const std::string& order, const JsonFields& fields,
                                           ControlChannel& control) {
  if (order == "offloads") return obey_offloads(fields);
  if (order == "known-work") return obey_known_work(fields);
  if (order == "cpus") return obey_cpus(fields);
  if (order == "disk") return obey_disk(fields);
  if (order == "function") return obey_function(fields);
  if (order == "macvtap") return obey_macvtap(fields);
  if (order == "memory") return obey_memory();
  if (order == "balloon") {
    if (Result<> loaded = load_modules(lab::kBalloonModulesFile); !loaded) return fail(loaded.error());
    return nlohmann::json{{"state", "done"}};
  }
  if (order == "modules") {
    return nlohmann::json{{"state", "done"}, {"modules", to_json(module_sections("guest"))}};
  }
  return obey_local(order, fields, control);
}

}  // namespace

Result<> run_guest_machine() {
  const Result<int> guest = boot_number(lab::kGuestWord, lab::kMostGuests);
  if (!guest) return fail(guest.error());
  const Result<int> lifetime = boot_number(lab::kLifetimeWord, lab::kMostLifetimeSeconds, 0);
  if (!lifetime) return fail(lifetime.error());
  const Result<int> alone = boot_number(lab::kAloneWord, lab::kMostLifetimeSeconds, 0);
  if (!alone) return fail(alone.error());
  if (*lifetime > 0)
    if (Result<> limited = limit_lifetime(std::chrono::seconds(*lifetime)); !limited) return limited;
  if (Result<> freed = use_every_cpu(); !freed) return freed;
  for (int number = *guest;;) {
    if (Result<> configured = configure_network(number); !configured) return configured;
    const std::string address = wiring::guest_ipv4(number);
    std::optional<int> next;
    const auto obey_all = [&](const std::string& order, const JsonFields& fields,
                              ControlChannel& control) -> std::optional<Result<nlohmann::json>> {
      if (order == "agent") return obey_agent(address, fields);
      if (order != "renumber") return obey(order, fields, control);
      const Result<int> told = new_number_from(fields);
      if (!told) return fail(told.error());
      next = *told;
      return nlohmann::json{{"state", "done"}};
    };
    const Result<> served = serve_controller(address, obey_all, std::chrono::seconds(*alone));
    if (!next) return served;
    if (Result<> taken = take_number(number, *next); !taken) return taken;
    number = *next;
  }
}

}  // namespace vtax::agent
