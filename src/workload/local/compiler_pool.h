#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/histogram.h"
#include "core/result.h"
#include "workload/measure/cpu_meter.h"

namespace vtax {

// Runs one command after the other in a folder, up to a number at once, each in a process group of its own
// with its output in a file, and adds up what the kernel says they used, with their children. An error of
// one, or an interruption, ends those that run.
class CompilerPool {
 public:
  struct Job {
    std::vector<std::string> arguments;  // the first is a path
    std::string output;                  // file in the folder for what it says
  };

  CompilerPool(std::filesystem::path folder, std::vector<std::string> environment);

  [[nodiscard]] Result<> run(const std::vector<Job>& jobs, std::size_t at_once);
  [[nodiscard]] const CpuUse& used() const { return used_; }  // machine_busy is not known
  [[nodiscard]] const Histogram& latency() const { return latency_; }

 private:
  struct Running {
    pid_t pid;
    const Job* job;
    std::chrono::steady_clock::time_point start;
  };

  Result<> start(const Job& job);
  Result<> reap(std::size_t index, bool judge);
  Result<> wait_for_one();
  void end_all();

  std::filesystem::path folder_;
  std::vector<std::string> environment_;
  std::vector<Running> running_;
  CpuUse used_;
  Histogram latency_;
};

}  // namespace vtax
