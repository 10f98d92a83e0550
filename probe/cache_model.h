#pragma once

// What the caches of a machine would have missed: for each CPU an L1 for instructions, an L1 for data and an
// L2 for both; an L3 that all share. Physical addresses, LRU, write-allocate; a level is filled whenever the
// one above it misses, and an L3 that forgets a line does not take it from the others. A store takes the line
// away from other CPUs' caches (MSI): only then is it this CPU's own, until another CPU reads it.
//
// Not modelled: prefetching, the TLB's own walks, what is written back, and what devices write to memory: a
// packet's buffer that was in a cache stays there, as on machines whose cards write into the L3.

#include <cstdint>
#include <vector>

#include "cache_level.h"

namespace vtax::probe {

struct CacheShapes {
  std::uint32_t line_bytes = 0;  // 0: no model
  CacheShape l1i, l1d, l2, l3;
};

// Which levels an access missed.
struct CacheMisses {
  bool l1 = false, l2 = false, l3 = false;
};

class CacheModel {
 public:
  void start(const CacheShapes& shapes) {
    shapes_ = shapes;
    while ((1U << line_shift_) < shapes.line_bytes) ++line_shift_;
    l3_.shape(shapes.l3, shapes.line_bytes);
    // Where a way is no larger than a page, the virtual address tells the set, too.
    const std::uint64_t way = shapes.l1d.bytes / shapes.l1d.ways;
    fast_ = way <= 4096 && (way & (way - 1)) == 0;
  }
  [[nodiscard]] bool on() const { return shapes_.line_bytes != 0; }
  [[nodiscard]] unsigned line_shift() const { return line_shift_; }

  // CPUs are numbered from 0 as they come.
  void add_cpu() {
    Cpu cpu;
    cpu.l1i.shape(shapes_.l1i, shapes_.line_bytes);
    cpu.l1d.shape(shapes_.l1d, shapes_.line_bytes);
    cpu.l2.shape(shapes_.l2, shapes_.line_bytes);
    cpu.newest.assign(cpu.l1d.sets(), Newest{});
    cpus_.push_back(std::move(cpu));
  }

  // Whether this access changes nothing: its virtual line is the newest of its set, and a store finds it this
  // CPU's own.
  [[nodiscard]] bool is_again(int cpu, std::uint64_t virtual_line, bool store) const {
    const Cpu& at = cpus_[static_cast<std::size_t>(cpu)];
    const Newest& newest = at.newest[virtual_line & (at.newest.size() - 1)];
    return newest.virtual_line == virtual_line && (!store || newest.own);
  }

  // What a virtual line was may be another now.
  void forget_addresses(int cpu) {
    for (Newest& newest : cpus_[static_cast<std::size_t>(cpu)].newest) newest.virtual_line = kNone;
  }

  CacheMisses data(int cpu, std::uint64_t virtual_line, std::uint64_t line, bool store) {
    Cpu& at = cpus_[static_cast<std::size_t>(cpu)];
    CacheMisses misses;
    if (!at.l1d.use(line)) {
      misses.l1 = true;
      below(cpu, line, misses);
    }
    bool own = at.is_own(line);
    if (store && !own) own = take(cpu, line);
    if (fast_) at.newest[virtual_line & (at.newest.size() - 1)] = {virtual_line, own};
    return misses;
  }

  CacheMisses code(int cpu, std::uint64_t line) {
    Cpu& at = cpus_[static_cast<std::size_t>(cpu)];
    CacheMisses misses;
    if (at.l1i.use(line)) return misses;
    misses.l1 = true;
    below(cpu, line, misses);
    return misses;
  }

 private:
  static constexpr std::uint64_t kNone = ~0ULL;
  struct Newest {  // of a set of the L1 for data
    std::uint64_t virtual_line = kNone;
    bool own = false;
  };
  struct Cpu {
    CacheLevel l1i, l1d, l2;
    std::vector<Newest> newest;
    std::vector<bool> own;  // by line: written by this CPU, and read by no other since

    [[nodiscard]] bool is_own(std::uint64_t line) const { return line < own.size() && own[line]; }
    void set_own(std::uint64_t line, bool value) {
      constexpr std::uint64_t kMostLines = 1ULL << 32;
      if (line >= own.size()) {
        if (!value || line >= kMostLines) return;
        own.resize(line + line / 2 + 1);
      }
      own[line] = value;
    }
    void forget(std::uint64_t line) { newest[line & (newest.size() - 1)].virtual_line = kNone; }
  };

  void below(int cpu, std::uint64_t line, CacheMisses& misses) {
    if (cpus_[static_cast<std::size_t>(cpu)].l2.use(line)) return;
    misses.l2 = true;
    if (!l3_.use(line)) misses.l3 = true;
    // Another CPU that has written it shares it from now on.
    for (std::size_t other = 0; other < cpus_.size(); ++other) {
      if (other == static_cast<std::size_t>(cpu) || !cpus_[other].is_own(line)) continue;
      cpus_[other].set_own(line, false);
      cpus_[other].forget(line);
    }
  }

  bool take(int cpu, std::uint64_t line) {
    for (std::size_t other = 0; other < cpus_.size(); ++other) {
      if (other == static_cast<std::size_t>(cpu)) continue;
      Cpu& at = cpus_[other];
      at.set_own(line, false);
      if (at.l1d.drop(line)) at.forget(line);
      at.l1i.drop(line);
      at.l2.drop(line);
    }
    cpus_[static_cast<std::size_t>(cpu)].set_own(line, true);
    return true;
  }

  CacheShapes shapes_;
  unsigned line_shift_ = 0;
  bool fast_ = false;
  std::vector<Cpu> cpus_;
  CacheLevel l3_;
};

}  // namespace vtax::probe
