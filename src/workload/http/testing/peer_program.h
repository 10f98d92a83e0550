#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax::http {

// Where a program is: PATH, and the places where servers are kept that not every PATH has. Nothing: not
// installed.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

// Somebody else's program beside which vtax is tested or measured. It dies with the thread that started it.
class PeerProgram {
 public:
  struct End {
    int exit_code = -1;              // 128 + signal when one ended it
    std::string out;                 // standard output and standard error
    std::chrono::nanoseconds cpu{};  // of it and of what it waited for
  };

  // `cpu`: the only one it may use; -1: any.
  [[nodiscard]] static Result<PeerProgram> start(const std::vector<std::string>& arguments, int cpu = -1);
  PeerProgram(PeerProgram&& other) noexcept;
  PeerProgram& operator=(PeerProgram&&) = delete;
  ~PeerProgram();  // kills it

  // CPU time of all its threads so far.
  [[nodiscard]] std::chrono::nanoseconds cpu() const;
  void signal(int number) const;
  // Until it ends; it is killed when that takes longer.
  [[nodiscard]] End wait(std::chrono::seconds longest);
  // What it has written so far.
  [[nodiscard]] std::string output() const;
  // Whether it writes that while it goes on, within that time.
  [[nodiscard]] bool says(const std::string& text, std::chrono::seconds longest);
  [[nodiscard]] bool ended();

 private:
  PeerProgram(pid_t pid, std::filesystem::path output) : pid_(pid), output_(std::move(output)) {}

  pid_t pid_ = -1;
  std::filesystem::path output_;
  std::optional<End> end_;
};

}  // namespace vtax::http
