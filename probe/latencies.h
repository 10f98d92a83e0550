#pragma once

// How long each request of a window took.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "format.h"

namespace vtax::probe {

class Latencies {
 public:
  void clear() {
    asked_.clear();
    taken_.clear();
    left_out_ = 0;
  }

  void asked(std::uint64_t guest, std::uint64_t request, std::int64_t now_ns) {
    if (asked_.size() < kMostLatencies) asked_[{guest, request}] = now_ns;
  }

  // An answer to what was asked before the window began is none of it.
  void answered(std::uint64_t guest, std::uint64_t request, std::int64_t now_ns) {
    const auto found = asked_.find({guest, request});
    if (found == asked_.end()) return;
    // Two CPUs may be a round apart, and a request may be answered on another one than asked.
    const std::int64_t ns = now_ns > found->second ? now_ns - found->second : 0;
    asked_.erase(found);
    took(guest, static_cast<std::uint64_t>(ns));
  }

  void took(std::uint64_t guest, std::uint64_t ns) {
    if (taken_.size() == kMostLatencies)
      ++left_out_;
    else
      taken_.push_back({static_cast<std::uint32_t>(guest), 0, ns});
  }

  [[nodiscard]] const std::vector<Latency>& taken() const { return taken_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::int64_t> asked_;
  std::vector<Latency> taken_;
  std::uint64_t left_out_ = 0;
};

}  // namespace vtax::probe
