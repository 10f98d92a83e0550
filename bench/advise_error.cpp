// advise_error RUN...: how good advice is. Of twelve servers, each placement that the runs have measured is
// told by a model that was learned without any of its cells (five models, each without another fifth), and
// the order is scored by what was measured. docs/benchmarks.md has the figures.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "advise/known_by_model.h"
#include "advise/ranking_score.h"
#include "core/sha256.h"
#include "core/statistics.h"
#include "predict/fit.h"
#include "record/run_reader.h"

namespace {

using namespace vtax;

constexpr std::size_t kFolds = 5;

std::size_t fold_of(const Factors& cell) {
  Sha256 hash;
  for (const auto& [factor, value] : cell) hash.add(factor + "=" + value + "\n");
  return std::stoul(hash.hex().substr(0, 8), nullptr, 16) % kFolds;
}

// Every cell is told by the model that does not know it.
class Blind {
 public:
  static Result<Blind> fit(const predict::KnownCells& known) {
    Blind blind(known);
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      predict::KnownCells some{{}, known.sources, known.in_time};
      for (const predict::KnownCell& cell : known.cells)
        if (fold_of(blind.space_.in_its_terms(cell.factors)) != fold) some.cells.push_back(cell);
      fmt::print(stderr, "model {} of {}, of {} cells\n", fold + 1, kFolds, some.cells.size());
      auto model = predict::fit(std::move(some), {0}, [](const std::string&) {});
      if (!model) return fail(model.error());
      blind.models_.push_back(std::move(*model));
    }
    return blind;
  }

  [[nodiscard]] Result<advise::Knowledge> knowledge() const {
    auto knowledge = advise::knowledge_of(known_);
    if (!knowledge) return knowledge;
    std::vector<advise::CellTeller> tellers;
    for (const predict::Model& model : models_) {
      auto teller = advise::teller_of(model);
      if (!teller) return fail(teller.error());
      tellers.push_back(std::move(*teller));
    }
    knowledge->tell = [this, tellers](const Factors& cell) {
      return tellers[fold_of(space_.in_its_terms(advise::as_measured(cell, known_)))](cell);
    };
    return knowledge;
  }

 private:
  explicit Blind(const predict::KnownCells& known) : known_(known), space_(factors_of(known)) {}

  const predict::KnownCells& known_;
  predict::CellSpace space_;
  std::vector<predict::Model> models_;
};

constexpr const char* kEvery = "[512, 1448, \"4 KiB\", \"16 KiB\", \"64 KiB\"]";
constexpr const char* kThree = "[512, 1448, \"16 KiB\"]";

std::string stream(const char* direction, double rate, const std::string& writes, const char* guests = "1") {
  return fmt::format(
      "[[application]]\nname = \"{0}\"\nworkload = \"tcp-stream\"\ndirection = \"{0}\"\nrate = {1}\n"
      "write_bytes = {2}\nguests = {3}\n",
      direction, rate, writes, guests);
}

std::string exchange(const char* name, double rate, int request, int response) {
  return fmt::format(
      "[[application]]\nname = \"{}\"\nworkload = \"tcp-rr\"\nrate = {}\nrequest_bytes = {}\n"
      "response_bytes = {}\n",
      name, rate, request, response);
}

std::string server(const char* name, bool own_kernel, const char* aim, const std::string& applications) {
  return fmt::format(
      "name = \"{}\"\nminimise = \"{}\"\n[server]\ncpus = 8\ncpu_mips = 2000\n"
      "platforms = [\"native\", \"container\", \"xen-pv\", \"xen-pvh\", \"kvm\"]\n"
      "[choose]\noffloads = [\"on\", \"off\"]\n[must]\nmost_busy_percent = 100\nown_kernel = {}\n{}",
      name, aim, own_kernel, applications);
}

std::vector<std::string> servers() {
  constexpr const char *kCost = "cost", *kBusiest = "busiest-cpu";
  constexpr int kPacket = 1448, kPage = 8192, kFile = 16384;
  return {
      server("backup", false, kCost, stream("receive", 400, kEvery)),
      server("mirror", true, kCost, stream("send", 400, kEvery)),
      server("counter", false, kCost, exchange("a", 4000, 1, 1)),
      server("database", true, kCost,
             exchange("queries", 2000, kPacket, kFile) + stream("receive", 100, kEvery)),
      server("uploads", true, kCost, exchange("forms", 2000, kPage, 1) + stream("receive", 300, kThree)),
      server("web", true, kCost, exchange("pages", 1000, 1, kFile) + stream("send", 150, kEvery)),
      server("proxy", false, kCost, stream("receive", 200, kThree) + stream("send", 200, kThree)),
      server("cache", true, kBusiest, stream("receive", 50, kThree) + stream("send", 300, kThree)),
      server("mixed", false, kBusiest,
             exchange("a", 1500, 1, 1) + exchange("b", 500, kPacket, kPacket) + stream("send", 100, kEvery)),
      server("spread-out", true, kCost, stream("send", 300, "[1448, \"16 KiB\"]", "[1, 2]")),
      server("spread-in", true, kBusiest, stream("receive", 300, "[1448, \"16 KiB\"]", "[1, 2]")),
      server("everything", false, kCost,
             exchange("a", 1000, 1, kPacket) + stream("receive", 150, kThree) + stream("send", 150, kThree)),
  };
}

int score(const predict::KnownCells& known) {
  const auto blind = Blind::fit(known);
  if (!blind) return fmt::print(stderr, "{}\n", blind.error().text()), 1;
  const auto knowledge = blind->knowledge();
  if (!knowledge) return fmt::print(stderr, "{}\n", knowledge.error().text()), 1;
  std::vector<double> taus, regrets;
  std::size_t in_top_3 = 0, placements = 0;
  constexpr double kPercent = 100;
  fmt::print(
      "| server | placements | tau | regret | best in top 3 | may be the best | told best | measured best |\n"
      "|---|---|---|---|---|---|---|---|\n");
  for (const std::string& text : servers()) {
    const auto asked = advise::parse_server(text, "a server of the bench");
    if (!asked) return fmt::print(stderr, "{}\n", asked.error().text()), 1;
    const auto advice = advise::advise(*asked, *knowledge);
    if (!advice) return fmt::print(stderr, "{}\n", advice.error().text()), 1;
    const auto scored = advise::score_ranking(*asked, *advice, known);
    if (!scored) return fmt::print(stderr, "{}\n", scored.error().text()), 1;
    if (scored->known_cells > 0) return fmt::print(stderr, "a model knew a cell that it told\n"), 1;
    taus.push_back(scored->tau.value_or(0));
    regrets.push_back(scored->regret);
    if (scored->best_in_top_3) ++in_top_3;
    placements += scored->placements;
    fmt::print("| {} | {} | {:.2f} | {:.1f} % | {} | {} | {} | {} |\n", asked->name, scored->placements,
               taus.back(), kPercent * scored->regret, scored->best_in_top_3 ? "yes" : "no",
               advice->contenders(), scored->told_best, scored->measured_best);
  }
  fmt::print(
      "{} placements; tau {:.2f} in the median, {:.2f} the least; regret {:.1f} % in the median, "
      "{:.1f} % at most; best in the top 3 of {} of {}\n",
      placements, median(taus).value_or(0), *std::min_element(taus.begin(), taus.end()),
      kPercent * median(regrets).value_or(0), kPercent * *std::max_element(regrets.begin(), regrets.end()),
      in_top_3, taus.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "usage: advise_error RUN...\n"), 2;
  predict::KnownCells known;
  for (int i = 1; i < argc; ++i) {
    auto reader = RunReader::open(argv[i]);
    if (!reader) return fmt::print(stderr, "{}\n", reader.error().text()), 1;
    if (auto added = predict::add_run(*reader, known); !added)
      return fmt::print(stderr, "{}\n", added.error().text()), 1;
  }
  return score(known);
}
