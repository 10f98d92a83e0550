#include "workload/http/client_counts.h"

#include <algorithm>
#include <atomic>

namespace vtax::http {

const char* name_of(Failure failure) {
  constexpr std::array<const char*, kFailureKinds> kNames{
      "timeout",    "refused", "reset",         "closed",      "bad_response",
      "http_error", "no_port", "no_descriptor", "unreachable", "late"};
  return kNames[static_cast<std::size_t>(failure)];
}

void ClientCounts::Interval::count(std::uint64_t content) {
  // One thread alone counts: no locked instruction is needed.
  const auto add_to = [](std::uint64_t& sum, std::uint64_t more) {
    std::atomic_ref(sum).store(sum + more, std::memory_order_relaxed);
  };
  add_to(transactions, 1);
  add_to(bytes, content);
}

void ClientCounts::Interval::add(const Interval& other) {
  const auto now = [](const std::uint64_t& sum) {
    return std::atomic_ref(const_cast<std::uint64_t&>(sum)).load(std::memory_order_relaxed);
  };
  transactions += now(other.transactions);
  bytes += now(other.bytes);
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
  for (std::size_t i = 0; i < other.intervals.size(); ++i) intervals[i].add(other.intervals[i]);
  cpu += other.cpu;
  waited += other.waited;
  if (bad_response.empty()) bad_response = other.bad_response;
  if (http_status == 0) http_status = other.http_status;
}

}  // namespace vtax::http
