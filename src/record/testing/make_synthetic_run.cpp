#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "record/run_writer.h"
#include "record/testing/synthetic_run.h"

// make_synthetic_run FILE [TRIALS [cells | failed]]: the run of synthetic_run(), its trials repeated up to
// TRIALS; with `cells` each is of a cell of its own, with `failed` also failed.
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  vtax::Run run = vtax::synthetic_run();
  const std::size_t trials = argc > 2 ? std::stoull(argv[2]) : run.trials.size();
  const std::string_view kind = argc > 3 ? argv[3] : "";
  run.planned_trials = trials;
  auto writer = vtax::RunWriter::create(argv[1], run);
  if (!writer) {
    std::cerr << writer.error().text() << '\n';
    return 1;
  }
  for (std::size_t i = 0; i < trials; ++i) {
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
