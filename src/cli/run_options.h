#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/own_builds.h"

namespace vtax {

// What `vtax run` was asked for.
struct RunOptions {
  std::string study;
  std::vector<std::string> set;
  std::string machine;
  std::optional<int> repetitions;
  std::string out;
  std::string vary;
  bool quick = false;
  bool resume = false;
  bool json = false;
  int jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  OwnBuilds own;
};

}  // namespace vtax
