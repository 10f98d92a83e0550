#pragma once

// One cache: sets of lines with true LRU. Lines are numbers (physical address / line size). In each set the
// line used last stands first, so most lookups end at the first comparison.

#include <cstdint>
#include <cstring>
#include <vector>

namespace vtax::probe {

struct CacheShape {
  std::uint64_t bytes = 0;
  std::uint32_t ways = 0;
};

class CacheLevel {
 public:
  static constexpr std::uint64_t kEmpty = ~0ULL;

  void shape(const CacheShape& shape, std::uint32_t line_bytes) {
    ways_ = shape.ways;
    sets_ = static_cast<std::uint32_t>(shape.bytes / line_bytes / shape.ways);
    lines_.assign(std::size_t{sets_} * ways_, kEmpty);
  }
  [[nodiscard]] std::uint32_t sets() const { return sets_; }
  // Sets need not be a power of two: an L3 of 15 MiB has none.
  [[nodiscard]] std::uint32_t set_of(std::uint64_t line) const {
    return static_cast<std::uint32_t>((sets_ & (sets_ - 1)) == 0 ? line & (sets_ - 1) : line % sets_);
  }
  [[nodiscard]] std::uint64_t newest(std::uint32_t set) const { return lines_[std::size_t{set} * ways_]; }

  // True where the line is in; either way it is now, and is the newest of its set.
  bool use(std::uint64_t line) {
    std::uint64_t* const set = &lines_[std::size_t{set_of(line)} * ways_];
    if (set[0] == line) return true;
    std::uint32_t way = 1;
    while (way < ways_ && set[way] != line) ++way;
    const bool hit = way < ways_;
    std::memmove(set + 1, set, (hit ? way : ways_ - 1) * sizeof *set);
    set[0] = line;
    return hit;
  }

  [[nodiscard]] bool holds(std::uint64_t line) const {
    const std::uint64_t* const set = &lines_[std::size_t{set_of(line)} * ways_];
    for (std::uint32_t way = 0; way < ways_; ++way)
      if (set[way] == line) return true;
    return false;
  }

  bool drop(std::uint64_t line) {
    std::uint64_t* const set = &lines_[std::size_t{set_of(line)} * ways_];
    std::uint32_t way = 0;
    while (way < ways_ && set[way] != line) ++way;
    if (way == ways_) return false;
    std::memmove(set + way, set + way + 1, (ways_ - 1 - way) * sizeof *set);
    set[ways_ - 1] = kEmpty;
    return true;
  }

 private:
  std::uint32_t ways_ = 0, sets_ = 0;
  std::vector<std::uint64_t> lines_;  // by set, then from the newest to the oldest
};

}  // namespace vtax::probe
