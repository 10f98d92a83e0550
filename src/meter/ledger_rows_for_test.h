#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/trial.h"

namespace vtax::meter {

inline constexpr std::uint64_t kMs = 1'000'000;

inline std::uint64_t value(const std::vector<LedgerEntry>& ledger, int cpu, const std::string& domain,
                           Layer layer, Part part = Part::none) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& e : ledger)
    if (e.cpu == cpu && e.domain == domain && e.layer == layer && e.part == part) sum += e.value;
  return sum;
}

inline std::uint64_t total(const std::vector<LedgerEntry>& ledger, int cpu) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& e : ledger) sum += e.cpu == cpu ? e.value : 0;
  return sum;
}

}  // namespace vtax::meter
