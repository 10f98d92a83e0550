#include "query/varying_factors.h"

namespace vtax {

void VaryingFactors::add(const Factors& factors) {
  Seen& seen = workloads_[factors.at("workload")];
  for (const auto& [name, value] : factors) {
    if (name == "platform" || name == "workload") continue;
    const auto [first, is_new] = seen.first.emplace(name, value);
    if (!is_new && first->second != value) seen.varying.insert(name);
  }
}

const std::set<std::string>& VaryingFactors::of(const std::string& workload) const {
  static const std::set<std::string> none;
  const auto found = workloads_.find(workload);
  return found == workloads_.end() ? none : found->second.varying;
}

}  // namespace vtax
