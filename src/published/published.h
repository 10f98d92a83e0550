#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "record/trial.h"

// What a paper says, and how a run is to be asked about it: studies/published/*.toml,
// docs/design/published.md. A claim's verdict on a run is report/verdict.h's affair.
namespace vtax {

// One cell of a run, and what of its cost is meant.
struct Operand {
  std::map<std::string, std::string> factors;  // canonical; platform and workload among them
  std::vector<Layer> layers;                   // none: all
  std::string domain;                          // "Domain-0"; empty: all
  std::string event;  // "l2_misses": what is counted in place of instructions, by all; empty: instructions

  bool operator==(const Operand&) const = default;
};

enum class Formula {
  value,   // of
  ratio,   // of / to
  slope,   // least squares of `of` over the values of a factor: instructions per unit of work and per 1
  rate,    // measured, or what `of` allows: model/capacity.h; Mb/s of payload, or transactions/s; or of / to
  spread,  // greatest / least of `of` over the values of a factor
  points,  // 100 (of / of_base - to / to_base): per cent by which `of` pays more for what its base lacks
  fairness,  // Jain's index of the rates of `of`'s guests
  latency,   // a percentile of the time that requests waited, us; or of / to
};

struct ClaimTest {
  Formula formula = Formula::value;
  std::string per;                       // of costs the unit of work: "KB", "packet", "transaction"
  int percentile = 0;                    // of a latency: 50, 90 or 99
  Operand of;                            // without the factor `over`
  Operand to;                            // of a ratio, points; of a rate, a latency none (no factors) or one
  Operand of_base, to_base;              // of points
  std::string over;                      // of slope and spread: a factor that is a number,
  std::vector<std::string> over_values;  // and at least two of its values, canonical
  std::optional<double> at_least, at_most;  // reproduced within, the ends included; at least one is set
};

struct Claim {
  std::string id;        // letters, digits and -; unique in its file
  std::string says;      // one sentence
  std::string source;    // section, table, figure
  std::string machine;   // the paper's
  std::string quantity;  // what the published figure is
  std::string unit;
  std::vector<double> published;  // one figure, or a range's two ends; none where the paper gives words,
  std::string published_text;     // which then stand here
  std::string note;               // why this test and this range; may be empty
  std::string not_testable;       // why; empty: there is a test
  std::optional<ClaimTest> test;
};

struct Published {
  std::string paper;
  std::string machine;  // of the claims that name none of their own
  std::vector<Claim> claims;
};

// `shown_name` names the text in errors. Errors: usage, with line, column, key and what is allowed.
[[nodiscard]] Result<Published> parse_published(std::string_view text, std::string_view shown_name);

}  // namespace vtax
