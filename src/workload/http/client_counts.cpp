#include "workload/http/client_counts.h"

#include <algorithm>

namespace vtax::http {

const char* name_of(Failure failure) {
  constexpr std::array<const char*, kFailureKinds> kNames{
      "timeout",    "refused", "reset",         "closed",      "bad_response",
      "http_error", "no_port", "no_descriptor", "unreachable", "late"};
  return kNames[static_cast<std::size_t>(failure)];
}

void ClientCounts::add(const ClientCounts& other) {
  transactions += other.transactions;
  bytes += other.bytes;
  requests += other.requests;
  connections += other.connections;
  for (std::size_t i = 0; i < failures.size(); ++i) failures[i] += other.failures[i];
  latency.add(other.latency);
  service.add(other.service);
  lateness.add(other.lateness);
  intervals.resize(std::max(intervals.size(), other.intervals.size()));
  for (std::size_t i = 0; i < other.intervals.size(); ++i) {
    intervals[i].transactions += other.intervals[i].transactions;
    intervals[i].bytes += other.intervals[i].bytes;
  }
  cpu += other.cpu;
  waited += other.waited;
  if (bad_response.empty()) bad_response = other.bad_response;
  if (http_status == 0) http_status = other.http_status;
}

}  // namespace vtax::http
