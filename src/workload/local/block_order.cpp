#include "workload/local/block_order.h"

#include "workload/local/seeded.h"

namespace vtax {

BlockOrder::BlockOrder(std::uint64_t blocks, std::uint64_t key, bool random)
    : blocks_(blocks), key_(key), random_(random) {
  while (half_bits_ < 31 && (std::uint64_t{1} << (2 * half_bits_)) < blocks) ++half_bits_;
}

std::uint64_t BlockOrder::at(std::uint64_t k) const {
  if (!random_) return k;
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  do {
    std::uint64_t left = k >> half_bits_, right = k & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t next = left ^ (SplitMix::mix(key_ + 4 * right + round) & mask);
      left = right;
      right = next;
    }
    k = left << half_bits_ | right;
  } while (k >= blocks_);
  return k;
}

}  // namespace vtax
