#pragma once

#include <cstdint>

namespace vtax {

// In which order the blocks of a file are visited: one after the other, or each exactly once in an order that
// a key sets. That is a Feistel network of four rounds over the next even power of two, walked until it comes
// back into the range (Black, Rogaway: "Ciphers with arbitrary finite domains", 2002): no table, any length.
class BlockOrder {
 public:
  static BlockOrder sequential(std::uint64_t blocks) { return {blocks, 0, false}; }
  static BlockOrder random(std::uint64_t blocks, std::uint64_t key) { return {blocks, key, true}; }

  [[nodiscard]] std::uint64_t blocks() const { return blocks_; }
  // The k-th block, k below blocks().
  [[nodiscard]] std::uint64_t at(std::uint64_t k) const;

 private:
  BlockOrder(std::uint64_t blocks, std::uint64_t key, bool random);

  std::uint64_t blocks_, key_;
  bool random_;
  int half_bits_ = 1;
};

}  // namespace vtax
