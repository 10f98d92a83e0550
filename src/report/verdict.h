#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/statistics.h"
#include "published/published.h"
#include "query/cell.h"

namespace vtax {

// undecided: the interval of what was measured spans a limit of the claim. left_out: by --quick, with its
// cell.
enum class Verdict { reproduced, not_reproduced, undecided, left_out, not_testable };

inline constexpr std::array kVerdicts{Verdict::reproduced, Verdict::not_reproduced, Verdict::undecided,
                                      Verdict::left_out, Verdict::not_testable};

[[nodiscard]] std::string_view name(Verdict verdict);  // "reproduced", "not reproduced", "undecided", ...

struct JudgedClaim {
  const Claim* claim = nullptr;
  std::optional<double> measured;  // in the claim's unit
  // Of what was measured, over the repetitions, at 95 %; nothing where a cell of it has fewer than five.
  std::optional<Interval> interval;
  Verdict verdict = Verdict::not_testable;
  std::string reason;  // with the range, or why there is no verdict; printable
};

// Each claim asked of the run's cells (docs/design/published.md). A cell is the only one of the run that has
// the factors which the claim names; where there is none, where it did not end, or where several fit, the
// claim is not testable. Of repeated cells the median run counts, as everywhere in a report; the interval is
// that of the percentile bootstrap, each cell's repetitions drawn anew and their median run taken.
[[nodiscard]] std::vector<JudgedClaim> judge(const Published& published, const Run& header,
                                             const RunCosts& costs);

// The claims that the run carries (settings, key `published`); nothing where its study names none. Errors:
// claims that this vtax cannot read, for example of a newer one; the rest of the run is as good as ever.
[[nodiscard]] Result<std::optional<Published>> published_of(const Run& header);

// "3 to 5 times", "941 Mb/s", "large".
[[nodiscard]] std::string published_figure(const Claim& claim);

// "4 of 9 claims reproduced, 2 not reproduced, 1 undecided, 2 not testable here."
[[nodiscard]] std::string count_verdicts(const std::vector<JudgedClaim>& judged);

}  // namespace vtax
