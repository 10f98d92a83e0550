#pragma once

#include <cstddef>
#include <string>
#include <utility>

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

  // What stands behind the count from now on: ", about 40 s left" (cli/time_left.h).
  void left(std::string text) { left_ = std::move(text); }

  // A trial's begin and end. Where lines stay it is its end that has one.
  void started(const std::string& text);
  void finished(const std::string& text);

  // Trials that are not tried.
  void skip(std::size_t trials) { done_ += trials; }

  // A line that stays.
  void note(const std::string& text);

 private:
  void show(const std::string& text);

  bool terminal_;
  std::size_t total_, done_ = 0;
  std::string left_;
  bool shown_ = false;
};

}  // namespace vtax
