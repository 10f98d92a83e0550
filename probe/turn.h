#pragma once

// What parallel_time.cpp tells the probe of each turn that it gives to a CPU. The two are loaded into QEMU as
// libraries of their own; the probe finds the hooks by their name.

#include <cstdint>

namespace vtax::probe {

// One CPU executes; all others stand still. Its time when it has executed n instructions is
// begin_ns + (begin_part + n * speed_ns) / speed_instructions.
struct Turn {
  int cpu = 0;                  // QEMU's number of it
  std::int64_t begin_ns = 0;    // virtual time
  std::int64_t begin_part = 0;  // the rest of it, in parts of 1 / speed_instructions ns
  std::int64_t speed_ns = 1;    // an instruction takes speed_ns / speed_instructions ns
  std::int64_t speed_instructions = 1;
  std::uint64_t executed = 0;  // by QEMU's own counter; known when the turn has ended

  [[nodiscard]] std::int64_t at(std::uint64_t instructions) const {
    return begin_ns + (begin_part + static_cast<std::int64_t>(instructions) * speed_ns) / speed_instructions;
  }
};

// No turn is longer: QEMU's 16-bit counter is never refilled within one.
inline constexpr std::int64_t kLongestTurn = 60'000;

// Femtoseconds of a nanosecond: in a machine at prices a turn's speed is told in so many instructions.
inline constexpr std::int64_t kFemtoseconds = 1'000'000;

struct TurnHooks {
  void (*begun)(const Turn&) = nullptr;
  // What it took at the prices, in femtoseconds; 0 without any.
  std::int64_t (*ended)(const Turn&) = nullptr;
  bool has_prices = false;
};
inline constexpr const char* kTurnHooks = "vtax_turn_hooks";

}  // namespace vtax::probe
