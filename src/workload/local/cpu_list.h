#pragma once

#include <sched.h>

#include <string>
#include <vector>

#include "core/result.h"

namespace vtax {

// The CPUs that this process may use (sched_getaffinity(2)), in order; never empty.
[[nodiscard]] std::vector<int> usable_cpus();

// "0,2-3" as the kernel writes such lists; in order, each once, and each one that this process may use.
[[nodiscard]] Result<std::vector<int>> read_cpu_list(std::string_view option, const std::string& text);

// Holds the calling thread on one CPU; it is given its old CPUs back at the end.
class Pinned {
 public:
  explicit Pinned(int cpu);
  Pinned(const Pinned&) = delete;
  ~Pinned();
  [[nodiscard]] bool done() const { return done_; }  // the CPU may have gone away since it was looked for

 private:
  cpu_set_t before_;
  bool done_ = false;
};

}  // namespace vtax
