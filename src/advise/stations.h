#pragma once

#include <string>
#include <vector>

#include "advise/placement.h"
#include "advise/server.h"
#include "advise/told_cell.h"

// Which CPU is full first: the utilisation law (Denning and Buzen 1978, as report/capacity.h has it for one
// window), over the CPUs of a server and all its applications. Work of several applications adds up: what
// they do to each other's batching is not in it.
namespace vtax::advise {

inline constexpr int kUsualWeight = 256;  // of Xen's guests, and Domain-0's

struct Station {
  std::string name;                       // "CPU 0 (Domain-0)", "CPU 2 (files)", "the wire, sending"
  double utilisation = 0;                 // at the rates that are asked for; 1: busy all the time
  int cpu = -1;                           // of a CPU
  std::vector<std::string> systems = {};  // that have it, without guests
};

struct Stations {
  std::vector<Station> all;  // the busiest first
  double least_share = 1;    // of a CPU, that a guest has whatever the others on it do
  std::size_t cpus = 1;      // that it needs, however little they do
  std::vector<std::string> notes = {};
};

// Where work is done: with guests, the driver domain (or KVM's host) has CPU 0, and guests are where
// guest_cpu says; without, each system's work is put on the CPU that has the least until then, the largest
// first. `told`: by application.
[[nodiscard]] Stations stations_of(const Server& server, const Placement& placement,
                                   const std::vector<ToldCell>& told);

// Bytes that an application puts on the wire for one unit of its work, frames, gaps and all.
struct WireBytes {
  double received = 0, sent = 0;
  bool is_known = true;  // false of programs, whose messages nobody knows
};
[[nodiscard]] WireBytes wire_bytes_of(const Factors& cell);

}  // namespace vtax::advise
