#pragma once

// What the probe knows of one emulated CPU, and the emulator's own instruction counter of it.
//
// Under -icount each translated block first subtracts its length from a 16-bit counter that QEMU keeps just
// below the CPU's `env`, fills when the CPU's turn begins (turn.h) and never within one. QEMU puts back what
// a block did not execute when a fault or a device access leaves it early. Reading it at each block's start
// therefore tells exactly what the block before really executed; what the last one of a turn did, the turn's
// end tells.

#include <array>
#include <cstdint>

#include "contexts.h"

namespace vtax::probe {

inline constexpr int kMaxCpus = 64;

// A block's number and length in the one word that its callback is handed.
class BlockData {
 public:
  BlockData() = default;
  BlockData(std::uint32_t block, std::uint32_t length)
      : packed_(block | static_cast<std::uint64_t>(length) << 32) {}
  explicit BlockData(void* data) : packed_(reinterpret_cast<std::uint64_t>(data)) {}

  [[nodiscard]] std::uint32_t block() const { return static_cast<std::uint32_t>(packed_); }
  [[nodiscard]] std::uint32_t length() const { return static_cast<std::uint32_t>(packed_ >> 32); }
  [[nodiscard]] void* data() const { return reinterpret_cast<void*>(packed_); }

 private:
  std::uint64_t packed_ = 0;
};

struct Cpu {
  const std::uint8_t* env = nullptr;
  ContextTable* context = nullptr;
  ContextTable* last_context = nullptr;
  ContextTable* next_context = nullptr;   // while the hypervisor switches to it
  ContextTable* host_context = nullptr;   // while a guest that VMRUN entered runs
  std::uint64_t host_stack = 0;           // the host's %rsp at that VMRUN
  std::uint64_t* instructions = nullptr;  // the context's, by block number
  BlockData last;                         // the block that began last
  std::uint16_t last_low = 0;             // the counter when it began
  std::uint16_t turn_low = 0;             // the counter before the turn's first block
  bool turn_counted = false;              // the counter was known at the turn's first block
  std::uint64_t before_turn = 0;          // instructions of the turns that ended
  std::int64_t cost_fs = 0;               // of the turn, at the prices

  // The counter when this block begins, if it is the next one and the one before ran to its end.
  [[nodiscard]] std::uint16_t expected_low(BlockData seen) const {
    return static_cast<std::uint16_t>(last_low - seen.length());
  }

  void charge_to(ContextTable* to) {
    context = to;
    to->in_slice = true;
    instructions = to->instructions;
  }

  // Instructions so far by QEMU's own counter, the block that has just begun included whole.
  [[nodiscard]] std::uint64_t icount() const { return before_turn + in_turn(); }
  [[nodiscard]] std::uint64_t in_turn() const { return static_cast<std::uint16_t>(turn_low - last_low); }
};

// Finds where the counter lives relative to `env`: the one 16-bit place below it that goes down by each
// block's length. Differs between QEMU versions, so it is observed and never assumed.
class CounterSearch {
 public:
  static constexpr int kNearest = 2, kFarthest = 160;
  static constexpr std::uint32_t kBlocks = 4096;

  // Feeds one block's start; true once the search has ended (see `offset`).
  bool observe(const std::uint8_t* env, std::uint32_t length) {
    for (int back = kNearest; back <= kFarthest; back += 2) {
      const std::uint16_t now = read(env, -back);
      auto& candidate = candidates_[static_cast<std::size_t>(back / 2)];
      if (env == env_ && static_cast<std::uint16_t>(candidate.last - length) == now) ++candidate.hits;
      candidate.last = now;
    }
    env_ = env;
    return ++blocks_ == kBlocks;
  }

  // Negative offset from env, or 0 when no single place behaves like the counter.
  [[nodiscard]] int offset() const {
    int found = 0;
    for (int back = kNearest; back <= kFarthest; back += 2) {
      const auto hits = candidates_[static_cast<std::size_t>(back / 2)].hits;
      if (hits < kBlocks * 8 / 10) continue;
      if (found != 0) return 0;
      found = -back;
    }
    return found;
  }

  static std::uint16_t read(const std::uint8_t* env, int offset) {
    return *reinterpret_cast<const volatile std::uint16_t*>(env + offset);
  }

 private:
  struct Candidate {
    std::uint16_t last = 0;
    std::uint32_t hits = 0;
  };
  std::array<Candidate, kFarthest / 2 + 1> candidates_{};
  const std::uint8_t* env_ = nullptr;
  std::uint32_t blocks_ = 0;
};

}  // namespace vtax::probe
