#pragma once

#include <cstdint>

namespace vtax {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): the state is a
// counter, so that the k-th value is known without those before it. The same seed gives the same values on
// every machine.
class SplitMix {
 public:
  explicit constexpr SplitMix(std::uint64_t seed) : state_(seed) {}

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  static constexpr std::uint64_t nth(std::uint64_t seed, std::uint64_t k) {
    return mix(seed + (k + 1) * kStep);
  }

  constexpr std::uint64_t next() { return mix(state_ += kStep); }
  // 0 <= value < 1, in steps of 2^-53.
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  // 0 <= value < limit; its preference for small values is below limit / 2^64.
  constexpr std::uint64_t below(std::uint64_t limit) { return next() % limit; }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;
  std::uint64_t state_;
};

}  // namespace vtax
