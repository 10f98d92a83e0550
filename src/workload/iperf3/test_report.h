#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "workload/iperf3/parameters.h"
#include "workload/iperf3/phase.h"
#include "workload/iperf3/results.h"
#include "workload/measure/side_report.h"

namespace vtax::iperf3 {

struct StreamPlace {
  int socket = -1;  // its number in this process, by which iperf3's reports name streams
  bool sends = false;
  std::string local_host, remote_host;
  std::uint16_t local_port = 0, remote_port = 0;
};

// A whole test as one side saw it, with what the other side said of it.
struct TestReport {
  Parameters test;
  bool client = false;
  std::string cookie;
  std::string peer_host;
  std::uint16_t peer_port = 0;
  std::chrono::system_clock::time_point started;
  std::uint64_t control_segment_bytes = 0;                        // TCP_MAXSEG of the control connection
  std::uint64_t send_buffer_bytes = 0, receive_buffer_bytes = 0;  // as the kernel made them
  std::vector<StreamPlace> places;
  std::string congestion;  // in use
  PhaseReport here;
  Results there;
  std::vector<std::string> warnings;
  bool interrupted = false;  // before its end; the figures are of the time until then
};

// The other side's span; of a fixed amount this side's, for there the talk about the end is in the other's.
[[nodiscard]] std::chrono::nanoseconds remote_duration(const TestReport& report);

[[nodiscard]] std::vector<StreamPlace> places_of(const std::vector<Stream>& streams);
[[nodiscard]] std::string congestion_of(const std::vector<Stream>& streams, const Parameters& test);

// What this side tells the other.
[[nodiscard]] Results results_of(const TestReport& report);

// The other side says that it received more than this one sent, or the like: an error, never a figure.
// `moved`: bytes on each stream since the beginning, on this side.
[[nodiscard]] Result<> check_claims(const TestReport& report, const std::vector<std::uint64_t>& moved);

// Of the measured span: what arrived here, or, where nothing comes, what was sent.
[[nodiscard]] IntervalReport report_of(const PhaseInterval& interval, const std::vector<StreamPlace>& places);

// The two sides in the shape of every workload, the receiving one first; of a test in both directions this
// one. Work is what was received; a sender of datagrams reports what it sent.
[[nodiscard]] std::vector<SideReport> sides_of(const TestReport& report);

}  // namespace vtax::iperf3
