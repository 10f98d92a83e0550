#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/iperf3/parameters.h"

namespace vtax::iperf3 {

// What one side says of one stream.
struct StreamResult {
  int id = 0;
  std::uint64_t bytes = 0;                   // sent or received, by who says it, without the omitted time
  std::optional<std::uint64_t> retransmits;  // of a TCP sender that knows
  double jitter_seconds = 0;                 // UDP receiver
  std::uint64_t lost = 0;     // UDP receiver: numbers left out; without the omitted time if lost_known
  std::uint64_t packets = 0;  // UDP: sent, or the highest number received, with the omitted time
  double seconds = 0;         // of the measured span
  // UDP: what of `packets` belongs to the omitted time. iperf3 says so from 3.13 on; without it `lost` holds
  // what was lost in that time, and is not known for the measured span.
  std::optional<std::uint64_t> omitted_packets{};
  bool lost_known = true;

  // Of the measured span; `own_omitted`, this side's count, stands in where the other says nothing.
  [[nodiscard]] std::uint64_t measured_packets(std::uint64_t own_omitted) const {
    const std::uint64_t omitted = omitted_packets.value_or(own_omitted);
    return packets > omitted ? packets - omitted : 0;
  }
};

// What each side tells the other at the end of a test.
struct Results {
  double cpu_total = 0, cpu_user = 0, cpu_system = 0;  // percent of one CPU
  bool has_retransmits = false;
  bool receives_only = false;
  std::string congestion;     // in use; empty: not said
  std::string server_output;  // the server's report in words, where the client asked for it
  std::vector<StreamResult> streams;

  [[nodiscard]] nlohmann::json to_json() const;
  // Exactly one entry for each stream of the test, in the order of the streams.
  [[nodiscard]] static Result<Results> from(const JsonFields& fields, const Parameters& test);
};

}  // namespace vtax::iperf3
