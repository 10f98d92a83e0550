#pragma once

#include <chrono>
#include <cstdint>

namespace vtax {

// How much later than the machine by itself would the repetition 1, 2, ... of a trial in the lab starts: from
// 0 to a second, anywhere in the periods of a machine's timers (ticks of 4 and 10 ms, what is done once a
// second), and always the same for the same repetition. The first is the usual start, with no delay. The
// numbers are SplitMix64's (Steele, Lea, Flood, OOPSLA 2014), with the repetition as its state.
[[nodiscard]] constexpr std::chrono::microseconds start_phase(int repetition) {
  if (repetition <= 1) return {};
  std::uint64_t z = static_cast<std::uint64_t>(repetition) * 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return std::chrono::microseconds((z ^ z >> 31) % 1'000'000);
}

}  // namespace vtax
