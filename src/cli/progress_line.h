#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace vtax {

// Progress on standard error: one line that renews itself on a terminal, a line per event elsewhere.
class ProgressLine {
 public:
  // `total`: trials to do; 0 when that is not known yet.
  explicit ProgressLine(std::size_t total);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void step(const std::string& text);
  void finished(const std::string& text);

  // A line that stays.
  void note(const std::string& text);

 private:
  void show(const std::string& text);
  [[nodiscard]] std::string left() const;  // ", about 40 s left"; empty before the first trial ended

  bool terminal_;
  std::size_t total_, done_ = 0;
  std::chrono::steady_clock::time_point first_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

}  // namespace vtax
