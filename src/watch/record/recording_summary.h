#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "watch/reading.h"
#include "watch/record/recording_reader.h"

namespace vtax::watch {

// What a guest did over a recording. What was known of some readings alone is of these.
struct GuestTotals {
  GuestKind kind = GuestKind::container;
  std::uint64_t own_ns = 0, caused_ns = 0;
  double most_percent = 0;  // own and caused, of the interval in which it was most
  std::optional<std::uint64_t> waiting_ns, exits, packets, network_bytes, disk_bytes;
};

// A part of the recording's time, of as many readings as the others.
struct CourseSlice {
  std::chrono::system_clock::time_point end;
  std::uint64_t ns = 0;  // of time; the rest is CPU time
  std::uint64_t own_ns = 0, caused_ns = 0;
  OtherTime other;
  std::map<std::string, std::uint64_t> of_guests;  // own and caused
};

struct RecordingSummary {
  RecordingHeader header;
  std::string driver, charged_by, shared_by;  // of the last reading
  std::chrono::system_clock::time_point begin, end;
  std::uint64_t read_ns = 0;  // the intervals; less than from begin to end where vtax was late
  std::uint64_t all_cpus_ns = 0;
  std::uint64_t wrong_readings = 0;  // whose rows do not add up to all CPUs' time
  std::map<std::string, GuestTotals> guests;
  OtherTime other;
  std::vector<CourseSlice> course;   // at most `slices`
  std::vector<std::string> missing;  // each once
};

// Error: the file's; usage when there is no reading in it.
[[nodiscard]] Result<RecordingSummary> summarise(RecordingReader& reader, std::size_t slices);

}  // namespace vtax::watch
