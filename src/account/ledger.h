#pragma once

#include <set>
#include <string>
#include <vector>

#include "account/address_map.h"
#include "account/probe_output.h"
#include "core/lab_prices.h"
#include "core/result.h"
#include "record/trial.h"

namespace vtax {

// What the probe's numbers mean on one machine.
struct ChargingRules {
  AddressMap map;
  std::vector<std::string> domains;  // names by announced number; without a hypervisor only the first is used
  std::set<int> drivers;             // numbers of driver domains: their cost is layer `driver`
  std::set<int> peer_cpus;           // left out of the ledger
};

struct Ledger {
  std::vector<LedgerEntry> entries;     // sorted; kind "instructions" adds up to machine_total exactly
  std::vector<FunctionCost> functions;  // by cost, dearest first; adds up likewise
  Instructions machine_total;           // the system under test
  Instructions peer_total;
  Timeline timeline;  // its rows add up to the entries of kind "instructions"; its work is not filled in
  Schedule schedule;  // empty where the window has none
  std::string
      digest;  // SHA-256 over every (cpu, domain, address, instructions) and every event, peer included
};

// Charges each instruction of the window to a CPU, a domain and a layer (equations 4.3 and 4.4).
// A virtual CPU that no domain announced and that ran nothing but the hypervisor is the hypervisor's idle
// one. What cannot be charged (an unannounced domain's code; a difference between the rows and the emulator's
// own counter) has the layer `uncharged`. Error: more than 0.1 % uncharged, or counts that contradict each
// other.
[[nodiscard]] Result<Ledger> charge(const ProbeWindow& window, const ChargingRules& charging);

// The probe's settings (probe/settings.h) for a machine with these symbols. Error: a symbol without which the
// count would be wrong is missing; it is named.
[[nodiscard]] Result<std::string> probe_settings(const AddressMap& map, Instructions limit);

// More of them: time passes at these prices. Those of events that the machine's symbols do not show are left
// out.
[[nodiscard]] std::string price_settings(const AddressMap& map, const LabPrices& prices);

// More of them, of a machine with Xen: the window's schedule is kept. Error: as above.
[[nodiscard]] Result<std::string> schedule_settings(const AddressMap& map);

}  // namespace vtax
