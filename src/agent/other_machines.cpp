#include "agent/other_machines.h"

#include <poll.h>

#include <thread>

#include "agent/guest_connection.h"
#include "agent/lab_layout.h"
#include "platform/links.h"
#include "platform/offloads.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

constexpr std::chrono::seconds kLimit{60};  // of guest time
// A connection that was closed has then said its last, under the addresses that it began with.
constexpr std::chrono::milliseconds kFarewell{100};
// The others' bridges are then in place; a guest that is asked before answers no sooner than after a second.
constexpr std::chrono::milliseconds kArranging{500};

Result<> plug_system_card(Links& here, const std::string& bridge, const Setup& setup) {
  return wiring::plug_card(here, setup.system_card, bridge, setup.offloads, lab::kDriverCpu);
}

}  // namespace

Result<> OtherMachines::reach(const LabPlan& plan, const DriverDomain& driver, const Setup& setup) {
  if (plan.machines == 1) return {};
  Result<Links> here = Links::open();
  if (!here) return fail(here.error());
  first_ = plan.guests + 1;
  const int last = plan.guests * plan.machines;
  Result<> done = plug_system_card(*here, driver.bridge, setup);
  for (int guest = first_; guest <= last && done; ++guest)
    done = here->add_neighbour(driver.bridge, wiring::guest_ipv4(guest), wiring::guest_mac(guest));
  if (!done) return done;
  std::this_thread::sleep_for(kArranging);
  for (int guest = first_; guest <= last; ++guest) {
    auto client = connect_to_guest(wiring::guest_ipv4(guest), lab::guest_name(guest), kLimit);
    if (!client) return fail(client.error());
    clients_.push_back(std::move(*client));
  }
  return {};
}

std::vector<GuestElsewhere> OtherMachines::guests() {
  std::vector<GuestElsewhere> out;
  int number = first_;
  for (EndpointClient& client : clients_) {
    out.push_back({lab::guest_name(number), lab::kGuestDevice, &client, number});
    ++number;
  }
  return out;
}

Result<> serve_as_other_machine(DriverMachine& machine, const LabPlan& plan, const Setup& setup) {
  for (std::size_t i = 0; i < machine.guests.size(); ++i) {
    const int number = plan.seat * plan.guests + static_cast<int>(i) + 1;
    const auto told = machine.guests[i].ask({{"do", "renumber"}, {"number", number}}, kLimit);
    if (!told) return fail(told.error());
  }
  machine.guests.clear();
  std::this_thread::sleep_for(kFarewell);
  Result<Links> here = Links::open();
  if (!here) return fail(here.error());
  // The address by which the guests know their driver domain is now the first machine's.
  Result<> done = here->set_mac(machine.driver.bridge, wiring::other_machine_mac(plan.seat));
  if (done) done = set_segmentation_offloads(machine.driver.bridge, plan.offloads);
  for (int guest = 1; guest <= plan.guests && done; ++guest)
    done = set_segmentation_offloads(machine.backend(guest), plan.offloads);
  if (done) done = plug_system_card(*here, machine.driver.bridge, setup);
  if (!done) return done;
  pollfd ended{machine.guest_ends->descriptor(), POLLIN, 0};
  while (true) {
    poll(&ended, 1, -1);
    if (auto error = machine.guest_ends->error()) return fail(std::move(*error));
  }
}

Result<int> new_number_from(const JsonFields& order) {
  const auto number = order.number("number", 1, kMostJoinedGuests);
  if (!number) return fail(number.error());
  return static_cast<int>(*number);
}

Result<> take_number(int from, int number) {
  std::this_thread::sleep_for(kFarewell);
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto device = links->find_by_mac(wiring::guest_mac(from));
  if (!device) return fail(device.error());
  Result<> done = links->set_up(*device, false);
  if (done) done = links->set_mac(*device, wiring::guest_mac(number));
  if (done) done = links->remove_address(*device, wiring::guest_ipv4(from), wiring::kPrefixBits);
  return done;
}

}  // namespace vtax::agent
