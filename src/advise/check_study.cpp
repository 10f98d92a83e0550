#include "advise/check_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "study/toml_text.h"

namespace vtax::advise {
namespace {

// The lab's, as far as it can be as quick.
std::string speed_lines(const Server& server) {
  constexpr double kLeastMips = 50, kMostMips = 20'000, kMostMbps = 10'000;
  std::string lines =
      fmt::format("cpu_mips = {:.0f}\n", std::clamp(std::round(server.cpu_mips), kLeastMips, kMostMips));
  if (server.link_mbps >= 1 && server.link_mbps <= kMostMbps)
    lines += fmt::format("link_mbps = {:.0f}\n", std::round(server.link_mbps));
  return lines;
}

}  // namespace

Result<std::string> study_text(const Server& server, const Advice& advice) {
  std::vector<const Option*> best;
  for (const auto* list : {&advice.holds, &advice.fails})
    for (const Option& option : *list)
      if (best.size() < kMostToCheck) best.push_back(&option);
  if (best.empty())
    return fail({"cannot write a study for " + server.name, "nothing is known of any of its placements",
                 "`vtax predict MODEL` lists what the model knows"});
  std::string text = fmt::format(
      "# `vtax run FILE --out advice.vtax`, then `vtax advise SERVER --check advice.vtax`.\n"
      "name = \"advice-{}\"\n"
      "question = \"Is the placement that is told to be the best for {} the best?\"\n"
      "repetitions = 3\n\n[factors]\n{}",
      server.name, server.name, speed_lines(server));
  std::set<Factors> written;
  for (const Option* option : best)
    for (const Factors& cell : option->placement.cells) {
      if (!written.insert(cell).second) continue;
      text += fmt::format("\n[[workload]]\nname = {}\n", toml_string(cell.at("workload")));
      for (const auto& [factor, value] : cell)
        if (factor != "workload" && !value.empty())
          text += fmt::format("{} = {}\n", factor, toml_string(value));
    }
  return text;
}

}  // namespace vtax::advise
