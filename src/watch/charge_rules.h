#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "watch/charge.h"

// The rules of charge(), by whose they are: charge_linux.cpp, charge_xen.cpp; what both share out is
// charge.cpp's, the reading charge_reading.cpp's.
namespace vtax::watch::rules {

using meter::ClockedTime;
using meter::ClockMode;
using Nanoseconds = std::uint64_t;
__extension__ typedef unsigned __int128 Wide;

inline std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

inline Nanoseconds sum_of(const std::vector<Nanoseconds>& values) {
  return std::accumulate(values.begin(), values.end(), Nanoseconds{0});
}

// A device that is no guest's.
struct PolledDevice {
  Nanoseconds ns = 0, elsewhere_ns = 0, vtax_ns = 0;  // of its polls between packets; on whose backs
  // Of the packets that came through it, by whose they were: nobody's are the host's own.
  std::map<std::vector<std::size_t>, std::uint64_t> segments;
};

// What one CPU, or one virtual CPU of Domain-0, or all of them did.
struct CpuSum {
  Nanoseconds guests = 0, caused = 0;
  Nanoseconds pool = 0;                     // the driver's work for guests, of which no rule tells for which
  Nanoseconds unknown = 0;                  // of processes that came and went between the looks
  std::map<std::size_t, Nanoseconds> told;  // of `caused`: what is known to be one guest's
  Nanoseconds own_packets = 0;              // what softirqs did for the host's own
  std::map<meter::DeviceKey, PolledDevice> polled;
  OtherTime other;
};

struct GuestSum {
  Nanoseconds own = 0, threads = 0, packets = 0, shared = 0;
  Nanoseconds on_its_tasks = 0;             // whatever was done on their backs, as its control group counts
  std::map<int, Nanoseconds> virtual_cpus;  // by number
  std::map<int, std::pair<int, Nanoseconds>> ran_on;  // virtual CPU -> physical CPU and time there
};

inline const meter::ThreadReading* thread_in(const GuestLook* look, int number, std::uint64_t born) {
  if (look == nullptr) return nullptr;
  const auto thread = look->threads.find(number);
  return thread != look->threads.end() && thread->second.born_ticks == born ? &thread->second : nullptr;
}

class Charge {
 public:
  Charge(const Look& before, const Look& after, const Inventory& inventory, ChargeBy by);
  Reading reading();

 private:
  static const GuestLook* look_of(const Look& look, const KnownGuest& guest);

  // ---- by the clock: each CPU's time is in it without a gap
  void charge_lap();
  // An interrupt between two of the clock's instructions puts some time twice.
  [[nodiscard]] std::vector<ClockedTime> times_within_spans() const;
  [[nodiscard]] static bool is_idle(const ClockedTime& time);
  // How much of a CPU's busy time was its own: the machine below may have taken the rest while a thread
  // seemed to run, and says so in ticks; of Domain-0's virtual CPUs Xen says it exactly.
  [[nodiscard]] Nanoseconds kept_of_busy(int cpu, Nanoseconds busy) const;
  void place(const ClockedTime& time);
  void place_packets(const Whose& back, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu);
  void caused_by(std::size_t guest, Nanoseconds GuestSum::*part, Nanoseconds ns, CpuSum& cpu);
  void caused_by_packets(const std::vector<std::size_t>& owners, Nanoseconds ns, CpuSum& cpu);
  // Of a device that is no guest's: by the segments that came through it for each.
  void share_polls();
  void own_time(const Whose& whose, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu);
  void on_the_back(const Whose& back, const ClockedTime& time, Nanoseconds ns, CpuSum& cpu);
  // KVM's guests where the clock does not see them: the ticks that found them running, of what their threads
  // ran.
  void split_by_guest_ticks();
  // Tasks that a container began and ended between the looks: its control group has counted them, the clock
  // has their time under numbers that nobody knows.
  void find_short_lived_tasks();
  // What the control group of a guest, which is no other's, counted.
  [[nodiscard]] std::optional<Nanoseconds> group_ns(std::size_t i) const;

  // ---- without it: what /proc says, of all CPUs together
  void charge_threads();
  [[nodiscard]] Nanoseconds ticks(std::uint64_t meter::CpuTicks::*field) const;
  // A guest's threads are those of its processes and of their helpers, which look alike here.
  [[nodiscard]] Whose whose_thread(std::size_t guest, int thread) const;
  // Of a thread that was not there before: all, if it began since.
  [[nodiscard]] std::uint64_t grown_thread(std::size_t guest, int number, const meter::ThreadReading& thread,
                                           std::uint64_t meter::ThreadTimes::*field) const;

  // ---- Xen: its own count of every domain
  [[nodiscard]] Nanoseconds xen_busy(int domain, std::size_t virtual_cpu) const;
  [[nodiscard]] Nanoseconds domain_0_ns() const;
  // What Domain-0 ran beside what its clock calls busy: interrupts in idleness, the ways into it and out of
  // it.
  void add_what_xen_counted();
  // Until here the CPUs are Domain-0's virtual ones.
  void charge_xen();

  // ---- what no rule tells apart
  [[nodiscard]] std::uint64_t packets_of(std::size_t i) const;
  void share_pool();
  // What a CPU's driver did for nobody in particular is shared as what it did there for each, the host's own
  // packets among them; by packets where nothing was told apart and the books do not tell CPUs apart either.
  void share_pool_of(CpuSum& sum);
  // 4.6 and 4.7: all that the driver did, by each guest's share of all packets.
  void charge_all_by_packets();

  // ---- the reading
  [[nodiscard]] Reading describe() const;
  [[nodiscard]] GuestUse describe_guest(std::size_t i) const;
  static VirtualCpuUse* virtual_cpu(GuestUse& use, int number);
  // Waiting and switches of virtual CPUs, and of a container's tasks.
  void describe_tasks(std::size_t i, GuestUse& use) const;
  static void describe_devices(const GuestLook& was, const GuestLook& is, GuestUse& use);

  static constexpr int kAllCpus = -1;  // in `cpus_`: those that the books do not tell apart
  const Look &before_, &after_;
  const Inventory& inventory_;
  ChargeBy by_;
  Nanoseconds span_ = 1;
  std::vector<const GuestLook*> looks_before_, looks_after_;
  std::vector<std::uint64_t> packets_;
  std::vector<GuestSum> guests_;
  std::map<int, CpuSum> cpus_;
  std::map<int, std::pair<Nanoseconds, Nanoseconds>> kept_;  // of a CPU's busy time: what is kept, all
  std::map<int, Nanoseconds> placed_;
  std::map<int, std::map<int, Nanoseconds>> kvm_threads_;  // thread -> CPU -> time, guest and KVM together
  std::map<std::tuple<std::size_t, int, int>, Nanoseconds> ran_;
  std::map<std::vector<std::size_t>, Nanoseconds> of_several_;
  std::vector<std::string> rules_;
};

}  // namespace vtax::watch::rules
