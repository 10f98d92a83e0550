#pragma once

// Translated blocks by (address, length). A block keeps its number when QEMU drops and translates it anew,
// so the tables stay as small as the code that ran.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace vtax::probe {

inline constexpr std::uint32_t kMaxBlocks = 1U << 22;

enum class Entry : std::uint8_t { none, context_switch, context_switched, vcpu_wake };

struct Block {
  std::uint64_t address = 0;
  std::uint32_t instructions = 0;
  std::uint32_t sizes = 0;  // where its instructions' sizes begin
  bool accesses_devices = false;
};

class Blocks {
 public:
  // The block's number, or kMaxBlocks when the table is full. `sizes`: its instructions' sizes in bytes.
  std::uint32_t number_of(std::uint64_t address, const std::vector<std::uint8_t>& sizes) {
    const auto length = static_cast<std::uint32_t>(sizes.size());
    const std::uint64_t key = address * 0x9e3779b97f4a7c15ULL + length;
    auto [known, end] = numbers_.equal_range(key);
    for (; known != end; ++known) {
      Block& block = blocks_[known->second];
      if (block.address != address || block.instructions != length) continue;
      // Code that was patched keeps its number; only where its instructions begin may have moved.
      std::copy(sizes.begin(), sizes.end(), sizes_.begin() + block.sizes);
      return known->second;
    }
    const auto next = static_cast<std::uint32_t>(blocks_.size());
    if (next == kMaxBlocks) return kMaxBlocks;
    blocks_.push_back({address, length, static_cast<std::uint32_t>(sizes_.size()), false});
    sizes_.insert(sizes_.end(), sizes.begin(), sizes.end());
    numbers_.emplace(key, next);
    return next;
  }

  void note_device_access(std::uint32_t number) { blocks_[number].accesses_devices = true; }

  // How many of the block's instructions lie before the one at `address`; -1 when none begins there.
  [[nodiscard]] int place_of(std::uint32_t number, std::uint64_t address) const {
    const Block& block = blocks_[number];
    std::uint64_t at = block.address;
    for (std::uint32_t i = 0; i < block.instructions; at += sizes_[block.sizes + i], ++i)
      if (at == address) return static_cast<int>(i);
    return -1;
  }

  // By number: whether the last instruction accesses a device. Besides the blocks of one such instruction
  // these are blocks that a turn's end cut short just behind it, where QEMU lets it access the device in
  // place.
  [[nodiscard]] std::vector<bool> end_in_device_access() const {
    std::unordered_set<std::uint64_t> accesses;
    for (const Block& block : blocks_)
      if (block.accesses_devices) accesses.insert(block.address);
    std::vector<bool> out;
    out.reserve(blocks_.size());
    for (const Block& block : blocks_) {
      const auto first = sizes_.begin() + block.sizes;
      const auto last = first + static_cast<std::ptrdiff_t>(block.instructions) - 1;
      out.push_back(accesses.contains(std::accumulate(first, last, block.address)));
    }
    return out;
  }

  [[nodiscard]] const Block& operator[](std::uint32_t number) const { return blocks_[number]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(blocks_.size()); }

 private:
  std::vector<Block> blocks_;
  std::vector<std::uint8_t> sizes_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> numbers_;
};

}  // namespace vtax::probe
