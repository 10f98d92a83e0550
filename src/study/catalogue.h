#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

// What can be studied: platforms, workloads and every factor with its values. The study file's
// validation, `vtax list`, --set and docs/study-files.md are all made from these tables.
namespace vtax {

enum class FactorType {
  choice,  // one of `choices`
  bytes,   // a size: 1448, "1448", "64 KiB", "8 MiB", "1 GiB"; canonical form: plain bytes
  count,   // a whole number
  caches,  // one of `choices`, or sizes of caches (core/cache_shape.h)
};

struct Factor {
  std::string_view name;
  FactorType type = FactorType::choice;
  std::string_view help;                  // one line
  std::string_view fallback;              // canonical; used where a study does not name the factor
  std::vector<std::string_view> choices;  // of FactorType::choice
  std::uint64_t low = 0, high = 0;        // of the others, both allowed
};

struct PlatformKind {
  std::string_view name;
  std::string_view summary;
  bool in_lab = true;  // otherwise on machine `host` alone
};

struct WorkloadKind {
  std::string_view name;
  std::string_view summary;
  std::vector<Factor> factors;
};

[[nodiscard]] const std::vector<PlatformKind>& platforms();
[[nodiscard]] const std::vector<WorkloadKind>& workloads();
[[nodiscard]] const std::vector<std::string_view>& machines();

// Factors of every trial, whatever its workload; the first varies slowest in a plan.
[[nodiscard]] const std::vector<Factor>& common_factors();

// Null where there is none of this name.
[[nodiscard]] const WorkloadKind* find_workload(std::string_view name);
[[nodiscard]] const Factor* find_factor(const std::vector<Factor>& factors, std::string_view name);

// Among the common ones and those of `workload`, or of all workloads where that is empty.
[[nodiscard]] const Factor* find_factor_of_any(std::string_view name, std::string_view workload);

[[nodiscard]] std::vector<std::string_view> names_of(const std::vector<Factor>& factors);
[[nodiscard]] std::vector<std::string_view> workload_names();

// "native, container, xen-pv" or "1 B to 64 MiB" or "1 to 1,000,000".
[[nodiscard]] std::string allowed_values(const Factor& factor);

// The one spelling under which a value is stored and compared. The error's `why` and `next` are set;
// `what` is the caller's, who knows where the value stood.
[[nodiscard]] Result<std::string> canonical(const Factor& factor, std::string_view text);

}  // namespace vtax
