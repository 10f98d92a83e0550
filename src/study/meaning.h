#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "subject/platform_table.h"

// Where a common factor means something. On a platform without guests Xen's scheduler, say, changes nothing:
// to measure such a cell once for each of the factor's values would be to measure the same thing again, and
// to call it by another name.
namespace vtax {

using PlanCell = std::map<std::string, std::string>;  // canonical factors, platform and workload among them

[[nodiscard]] const PlatformFacts& platform_of(const PlanCell& cell);

// `factor`: a common one, here and below.
// On the real host vtax chooses no CPUs beyond the two that it uses, has one card at most, no hypervisor to
// schedule or ration guests, and cannot see the caches.
[[nodiscard]] bool is_the_labs_alone(std::string_view factor);

[[nodiscard]] bool has_meaning(std::string_view factor, std::string_view machine, const PlanCell& cell);

// A pass of the plan in which every factor that means nothing on its cell's platform has its usual value; of
// cells that are then equal the first is left. Of work without traffic (memory, compile, ...) likewise the
// first of those that differ in nothing but the network's factors, as it stands.
struct MeaningfulPass {
  std::vector<PlanCell> cells;
  // By platform the factors for which it was measured once: its cells stand for all of their values.
  std::map<std::string, std::set<std::string>> set_aside;
  std::vector<std::string> notes;  // the same in words, for whoever named the values
};

// `pass` holds no cell twice. Errors: usage, where a value other than the usual one would be set aside
// everywhere; `what` begins it.
[[nodiscard]] Result<MeaningfulPass> only_meaningful(std::string_view machine, std::vector<PlanCell> pass,
                                                     const std::string& what);

}  // namespace vtax
