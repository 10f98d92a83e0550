#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace vtax {

// STREAM's four kernels (J. McCalpin, "Memory bandwidth and machine balance", 1995) in the order of its
// rounds:
//   copy c = a,  scale b = s c,  add c = a + b,  triad a = b + s c
enum class StreamKernel { copy, scale, add, triad };
inline constexpr std::size_t kStreamKernels = 4;
inline constexpr std::array<std::string_view, kStreamKernels> kStreamNames{"copy", "scale", "add", "triad"};
// Arrays touched: what STREAM counts, 8 bytes for each element of each.
inline constexpr std::array<std::size_t, kStreamKernels> kStreamArrays{2, 2, 3, 3};

// Regular stores read a line before they write it; nontemporal ones go past the caches.
struct StreamCode {
  std::string_view instructions;  // "avx512", "avx2", "sse2"
  bool nontemporal = false;
  // `count` elements, a multiple of 8; all three pointers at 64 bytes. `y` serves add and triad only.
  void (*run[kStreamKernels])(double* to, const double* x, const double* y, double s, std::size_t count);
};

// What this CPU can do, the widest first, each with regular and with nontemporal stores.
[[nodiscard]] std::vector<StreamCode> stream_codes();

}  // namespace vtax
