#pragma once

// Translated blocks by (address, length). A block keeps its number when QEMU drops and translates it anew,
// so the tables stay as small as the code that ran.

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace vtax::probe {

inline constexpr std::uint32_t kMaxBlocks = 1U << 22;

enum class Entry : std::uint8_t { none, exception, context_switch, event };

struct Block {
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;
  std::uint32_t instructions = 0;
};

class Blocks {
 public:
  // The block's number, or kMaxBlocks when the table is full.
  std::uint32_t number_of(std::uint64_t address, std::uint32_t bytes, std::uint32_t instructions) {
    const std::uint64_t key = address * 0x9e3779b97f4a7c15ULL + instructions;
    const auto next = static_cast<std::uint32_t>(blocks_.size());
    auto [range, end] = numbers_.equal_range(key);
    for (; range != end; ++range) {
      const Block& known = blocks_[range->second];
      if (known.address == address && known.instructions == instructions) return range->second;
    }
    if (next == kMaxBlocks) return kMaxBlocks;
    blocks_.push_back({address, bytes, instructions});
    numbers_.emplace(key, next);
    return next;
  }

  [[nodiscard]] const Block& operator[](std::uint32_t number) const { return blocks_[number]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(blocks_.size()); }

 private:
  std::vector<Block> blocks_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
};

}  // namespace vtax::probe
