#include "report/claims_text.h"

#include <fmt/format.h>

#include "core/readable.h"
#include "core/text_table.h"
#include "report/verdict.h"

namespace vtax {
namespace {

constexpr std::size_t kWidestFigure = 22;

// A claim's own lines below the table.
void print_claim(std::ostream& out, const JudgedClaim& judged) {
  const Claim& claim = *judged.claim;
  print_wrapped(out, "  ", fmt::format("{} ({})", claim.id, claim.source));
  print_wrapped(out, "      ", claim.says);
  const std::string_view before = judged.measured ? claim.quantity : name(judged.verdict);
  print_wrapped(out, "      ", fmt::format("{}: {}", before, judged.reason));
}

// Those that have a verdict.
void print_judged(std::ostream& out, const std::vector<JudgedClaim>& judged) {
  TextTable table({"claim", "published", "measured", "verdict"});
  std::size_t without = 0;
  for (const JudgedClaim& j : judged) {
    if (!j.measured)
      ++without;
    else
      table.add({"  " + j.claim->id, printable(published_figure(*j.claim), kWidestFigure),
                 readable(*j.measured), std::string(name(j.verdict))});
  }
  if (!table.is_empty()) table.print(out);
  if (without > 0)
    print_wrapped(out, "  ",
                  fmt::format("{} more could not be tested in this run; --all says why.", without));
}

}  // namespace

void print_claims(std::ostream& out, const Run& header, const RunCosts& costs, TableDetail detail) {
  const auto published = published_of(header);
  if (published && !*published) return;
  out << "\nPUBLISHED BESIDE MEASURED\n";
  if (!published) {
    print_wrapped(out, "  ", fmt::format("{}: {}", published.error().what, published.error().why));
    return;
  }
  const auto judged = judge(**published, header, costs);
  print_wrapped(out, "  ", (*published)->paper);
  if (!(*published)->machine.empty()) print_wrapped(out, "  on: ", (*published)->machine);
  print_wrapped(out, "  ", count_verdicts(judged));
  if (detail == TableDetail::first) {
    print_judged(out, judged);
    return;
  }
  TextTable table({"claim", "published", "measured", "verdict"});
  for (const JudgedClaim& j : judged) {
    table.add({"  " + j.claim->id, printable(published_figure(*j.claim), kWidestFigure),
               j.measured ? readable(*j.measured) : "-", std::string(name(j.verdict))});
  }
  table.print(out);
  out << '\n';
  for (const JudgedClaim& j : judged) print_claim(out, j);
}

}  // namespace vtax
