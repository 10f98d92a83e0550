#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace vtax {

// Munge, Slurm's controller and one node, all on this computer, as children of this process with a folder of
// their own: nothing of the computer's own Slurm is used or changed. They end with the object.
class OneMachineSlurm {
 public:
  // `folder` is the test's, `cpus` those that the node claims to have.
  OneMachineSlurm(std::filesystem::path folder, int cpus);
  OneMachineSlurm(const OneMachineSlurm&) = delete;
  OneMachineSlurm& operator=(const OneMachineSlurm&) = delete;
  ~OneMachineSlurm();

  // Empty, or why there is none: not installed, not root, or what did not come up.
  [[nodiscard]] const std::string& missing() const { return missing_; }

  // For whoever calls its commands.
  [[nodiscard]] std::string environment() const { return "SLURM_CONF=" + (folder_ / "slurm.conf").string(); }

  // Ends the node's daemon and starts another; running tasks go on.
  void restart_node();

 private:
  [[nodiscard]] pid_t start(const std::vector<std::string>& words, const std::string& log) const;
  void end(pid_t& pid) const;
  void write_settings(int cpus) const;
  void start_node();
  [[nodiscard]] bool answers() const;

  std::filesystem::path folder_;
  std::string missing_;
  pid_t munge_ = -1, controller_ = -1, node_ = -1;
};

}  // namespace vtax
