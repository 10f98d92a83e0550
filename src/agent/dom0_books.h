#pragma once

#include <cstdint>
#include <vector>

#include "controller/trial.h"
#include "meter/cpu_reading.h"
#include "meter/xen_times.h"

namespace vtax::agent {

// What a Domain-0's administrator would read before and after the window: Xen's counters of every domain, and
// Domain-0's own /proc. For the table of their errors against the exact ledger (bench/books_error); the
// result's "books":
//   {"span_ns", "xen": [{"domain": "Domain-0", "ns"}, ...], "proc_stat_ns": {"user", ..., "idle"},
//    "threads_ns"}
// /proc/stat's are sums over Domain-0's CPUs, in ticks of 10 ms; threads_ns is the schedstat of all threads.
class Dom0Books {
 public:
  explicit Dom0Books(int guests) : guests_(guests) {}
  // They refer to this object.
  [[nodiscard]] controller::WindowHooks hooks();

 private:
  struct Reading {
    std::vector<meter::VirtualCpuTime> xen;
    meter::CpuReading proc;
  };
  [[nodiscard]] static Result<> read_proc(Reading& into);
  [[nodiscard]] Result<> read_xen(Reading& into) const;
  void describe(nlohmann::json& result) const;

  int guests_;
  Reading before_, after_;
};

}  // namespace vtax::agent
