#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// One cache: `bytes` in sets of `ways` lines.
struct CacheShape {
  std::uint64_t bytes = 0;
  std::uint32_t ways = 0;

  bool operator==(const CacheShape&) const = default;
};

// A machine's caches: for each CPU two L1 and an L2, one L3 for all.
struct CacheShapes {
  CacheShape l1i, l1d, l2, l3;
  std::uint32_t line_bytes = 64;

  bool operator==(const CacheShapes&) const = default;
};

struct NamedCaches {
  std::string_view name, shapes, whose;
};

// What a study may name:
// epyc: AMD EPYC 7002 ("Rome"), one core complex (Software Optimization Guide for AMD Family 17h Models 30h
//   and Greater Processors, section 2.6).
// xeon-mp: Intel Xeon MP 2.80 GHz ("Gallatin"), the likeliest of the dissertation's "four Xeon of 2800 MHz"
//   since it has an L3: L1 of data 8 KiB, L2 512 KiB, L3 2 MiB. Its trace cache of 12,000 micro-operations is
//   taken for 16 KiB of code, which is a guess; its L3 was each CPU's own and here is shared.
[[nodiscard]] const std::array<NamedCaches, 2>& named_caches();

// A name, or four sizes with their ways, L1 of code, L1 of data, L2, L3, and if it is not 64 the size of a
// line: "32 KiB/8 + 32 KiB/8 + 512 KiB/8 + 16 MiB/16 + 64". Errors: no such form; a size that is no whole
// number of sets; a size above 1 GiB or ways above 64; a line that is no power of two from 16 to 256.
[[nodiscard]] Result<CacheShapes> read_caches(std::string_view text);

// "32KiB/8+32KiB/8+512KiB/8+16MiB/16", in the largest unit that is whole.
[[nodiscard]] std::string text_of(const CacheShapes& caches);

}  // namespace vtax
