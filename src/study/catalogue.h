#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "subject/factor_table.h"
#include "subject/platform_table.h"
#include "subject/workload_table.h"

// How people write what src/subject's tables hold: names of factors and their values, in study files and
// with --set, and in `vtax list` and docs/study-files.md.
namespace vtax {

[[nodiscard]] const std::vector<std::string_view>& machines();

// Among the common ones and those of `workload`, or of all workloads where that is empty.
[[nodiscard]] const Factor* find_factor_of_any(std::string_view name, std::string_view workload);

[[nodiscard]] std::vector<std::string_view> names_of(const std::vector<Factor>& factors);
[[nodiscard]] std::vector<std::string_view> workload_names();

// "native, container, xen-pv" or "1 B to 64 MiB" or "1 to 1,000,000".
[[nodiscard]] std::string allowed_values(const Factor& factor);

// "8 MiB", "receive"; "none" of text that is usually empty.
[[nodiscard]] std::string usual_value(const Factor& factor);

// The one spelling under which a value is stored and compared. The error's `why` and `next` are set;
// `what` is the caller's, who knows where the value stood.
[[nodiscard]] Result<std::string> canonical(const Factor& factor, std::string_view text);

}  // namespace vtax
