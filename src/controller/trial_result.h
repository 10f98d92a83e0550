#pragma once

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "workload/measure/side_report.h"

namespace vtax::controller {

// The message `result` of a trial, summed over its systems under test. The window is as long as the longest.
class TrialResult {
 public:
  void add(const std::string& guest, const SideReport& done) {
    guests_.push_back({{"guest", guest},
                       {"bytes", done.bytes.value},
                       {"transactions", done.transactions.value},
                       {"virtual_ns", done.duration.count()}});
    bytes_ += done.bytes.value;
    transactions_ += done.transactions.value;
    longest_ = std::max(longest_, done.duration);
  }

  [[nodiscard]] nlohmann::json to_json(std::uint64_t packets = 0,
                                       nlohmann::json devices = nlohmann::json::array()) const {
    return {{"window_virtual_ns", longest_.count()},
            {"work", {{"bytes", bytes_}, {"packets", packets}, {"transactions", transactions_}}},
            {"guests", guests_},
            {"devices", std::move(devices)}};
  }

 private:
  nlohmann::json guests_ = nlohmann::json::array();
  std::uint64_t bytes_ = 0, transactions_ = 0;
  std::chrono::nanoseconds longest_{};
};

}  // namespace vtax::controller
