#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/own_builds.h"
#include "cli/run_engine.h"

namespace vtax {

// What `vtax run` was asked for.
struct RunOptions {
  std::string study;
  std::vector<std::string> set;
  std::string machine;
  std::optional<int> repetitions;
  std::string out;
  std::string vary;
  std::string shard;  // "0/4"; "" for all of the plan
  bool quick = false;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
  std::optional<int> jobs;  // trials at once: one a CPU, of a cluster's task one
  EngineOptions engine;
  OwnBuilds own;
};

[[nodiscard]] inline int jobs_of(const RunOptions& options) {
  return options.jobs.value_or(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

}  // namespace vtax
