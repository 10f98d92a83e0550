#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/shard.h"
#include "record/run_header.h"
#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"

// make_synthetic_run FILE [TRIALS [cells | failed [k/K]]]: the run of synthetic_run(), its trials repeated up
// to TRIALS; with `cells` each is of a cell of its own, with `failed` also failed; with k/K a share of them.
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  vtax::Run run = vtax::synthetic_run();
  const std::size_t trials = argc > 2 ? std::stoull(argv[2]) : run.trials.size();
  const std::string_view kind = argc > 3 ? argv[3] : "";
  run.planned_trials = trials;
  const auto share = argc > 4 ? vtax::parse_shard(argv[4]) : vtax::Shard();
  if (!share) return 2;
  auto settings = nlohmann::json::parse(run.settings);
  settings["made_from"] = {{"vtax", "nothing that was measured"}};
  if (argc > 4) settings[vtax::kShard] = argv[4];
  run.settings = settings.dump();
  auto writer = vtax::RunWriter::create(argv[1], run);
  if (!writer) {
    std::cerr << writer.error().text() << '\n';
    return 1;
  }
  for (std::size_t i = share->number; i < trials; i += share->of) {
    vtax::Trial trial = kind.empty() ? run.trials[i % run.trials.size()] : vtax::synthetic_cell(i);
    trial.index = i;
    if (kind.empty()) trial.repetition = static_cast<int>(i / run.trials.size() % 1000) + 1;
    if (kind == "failed") vtax::make_failed(trial, "the guest hung");
    if (const auto done = writer->append(trial); !done) {
      std::cerr << done.error().text() << '\n';
      return 1;
    }
  }
  return 0;
}
