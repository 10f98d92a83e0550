#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/histogram.h"

namespace vtax::http {

enum class Failure : std::uint8_t {
  timeout,
  refused,
  reset,
  closed,
  bad_response,
  http_error,
  no_port,
  no_descriptor,
  unreachable,
  late,
};
inline constexpr std::size_t kFailureKinds = 10;
[[nodiscard]] const char* name_of(Failure failure);

// What one thread of the client has done.
struct ClientCounts {
  std::uint64_t transactions = 0, bytes = 0, requests = 0, connections = 0;
  std::array<std::uint64_t, kFailureKinds> failures{};
  Histogram latency, service, lateness;  // ns
  // Another thread may read it meanwhile.
  struct Interval {
    std::uint64_t transactions = 0, bytes = 0;
    void count(std::uint64_t content);
    void add(const Interval& other);
  };
  std::vector<Interval> intervals;
  std::chrono::nanoseconds cpu{};  // of the thread in the span
  std::uint64_t waited = 0;        // requests that were due while every connection was taken
  std::string bad_response;        // why the first bad one was
  int http_status = 0;             // of the first error

  [[nodiscard]] std::uint64_t& operator[](Failure failure) {
    return failures[static_cast<std::size_t>(failure)];
  }
  [[nodiscard]] std::uint64_t of(Failure failure) const {
    return failures[static_cast<std::size_t>(failure)];
  }
  void add(const ClientCounts& other);
};

}  // namespace vtax::http
