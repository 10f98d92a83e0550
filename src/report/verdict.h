#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "published/published.h"
#include "report/cell.h"

namespace vtax {

enum class Verdict { reproduced, not_reproduced, not_testable };

[[nodiscard]] std::string_view name(Verdict verdict);  // "reproduced", "not reproduced", "not testable"

struct JudgedClaim {
  const Claim* claim = nullptr;
  std::optional<double> measured;  // in the claim's unit
  Verdict verdict = Verdict::not_testable;
  std::string reason;  // with the range, or why there is no verdict; printable
};

// Each claim asked of the run's cells (docs/design/published.md). A cell is the only one of the run that has
// the factors which the claim names; where there is none, where it did not end, or where several fit, the
// claim is not testable. Of repeated cells the median run counts, as everywhere in a report.
[[nodiscard]] std::vector<JudgedClaim> judge(const Published& published, const Run& header,
                                             const RunCosts& costs);

// The claims that the run carries (settings, key `published`); nothing where its study names none. Errors:
// claims that this vtax cannot read, for example of a newer one; the rest of the run is as good as ever.
[[nodiscard]] Result<std::optional<Published>> published_of(const Run& header);

// "3 to 5 times", "941 Mb/s", "large".
[[nodiscard]] std::string published_figure(const Claim& claim);

// "4 of 9 claims reproduced, 2 not reproduced, 3 not testable here."
[[nodiscard]] std::string count_verdicts(const std::vector<JudgedClaim>& judged);

}  // namespace vtax
