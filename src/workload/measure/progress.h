#pragma once

#include <cstdint>
#include <limits>

#include "workload/measure/marker.h"

namespace vtax {

// Who marks progress in the lab's window, and how often. By default nobody does.
struct Marking {
  unsigned guest = 0;  // its number, from 1
  unsigned marks = 0;  // spread evenly over the work, the last at its end

  static constexpr unsigned kMostGuests = 64, kMostMarks = 256;
};

// Marks (workload/measure/marker.h) each time another part of a fixed amount of work is done. A comparison
// and a jump where nothing is to be marked, and some twenty instructions a mark.
class WindowProgress {
 public:
  WindowProgress() = default;
  WindowProgress(const Marking& marking, std::uint64_t total) : marking_(marking), total_(total) {
    if (marking.marks > 0) step(0);
  }

  // `done` of the total; the other two are what is told.
  [[gnu::always_inline]] void at(std::uint64_t done, std::uint64_t bytes, std::uint64_t transactions) {
    if (done >= next_) [[unlikely]]
      mark(done, bytes, transactions);
  }

  // Mark that a request is sent and that its answer has come, where progress is marked at all: how long it
  // took is known without reading a clock, which costs a Xen guest thousands of instructions.
  [[gnu::always_inline]] void asked(std::uint64_t request) const {
    if (marking_.marks > 0) marker::request(marking_.guest, request);
  }
  [[gnu::always_inline]] void answered(std::uint64_t request) const {
    if (marking_.marks > 0) marker::answer(marking_.guest, request);
  }

  // Marks when so much is done; the greatest number: never again.
  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  void mark(std::uint64_t done, std::uint64_t bytes, std::uint64_t transactions);
  void step(std::uint64_t done);

  Marking marking_;
  std::uint64_t total_ = 0;
  unsigned made_ = 0;
  std::uint64_t next_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace vtax
