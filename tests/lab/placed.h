// What the tests of placements share: their cells, and what they ask of a trial.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>

#include "tests/lab/lab_bench.h"

namespace vtax::lab {

using FactorMap = std::map<std::string, std::string>;

struct Placed {
  const char* name;
  FactorMap factors;  // besides those of small()
};
void PrintTo(const Placed& placed, std::ostream* out);

// A stream's trial of the lab, and one of a loop, with these changes.
[[nodiscard]] Trial small(const FactorMap& changes);
[[nodiscard]] Trial looping(const FactorMap& changes);

// As this process measured it first, or once more.
[[nodiscard]] Trial run(const Trial& trial);
[[nodiscard]] Trial run_anew(const Trial& trial);

// Of the ledger; `layers` empty: all; `cpu` -2: on any.
[[nodiscard]] std::uint64_t instructions(const Trial& trial, const std::string& domain,
                                         const std::set<Layer>& layers = {}, int cpu = -2);
// Of all functions that have this in their name.
[[nodiscard]] std::uint64_t cost_of(const Trial& trial, const std::string& domain,
                                    const std::string& function);

// One machine for everything with two cards, two CPUs of the driver domain and two guests.
[[nodiscard]] FactorMap two_cards(const FactorMap& more);
// The same of KVM, whose guests have more memory than usual and a balloon that takes it again.
[[nodiscard]] FactorMap two_cards_of_kvm(const FactorMap& more);
[[nodiscard]] FactorMap driver_domains(const char* number, const FactorMap& more = {});

// Cells of which more than one test asks something.
[[nodiscard]] FactorMap guest_on(const char* cpu);
// At one rate: unshaped, each run settles into a batching of its own, which outweighs a translation.
[[nodiscard]] FactorMap forwarded(const char* way);
[[nodiscard]] FactorMap two_guests_of_kvm(const std::string& cpu);

}  // namespace vtax::lab
