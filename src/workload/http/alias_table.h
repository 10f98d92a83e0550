#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "workload/http/random.h"

namespace vtax::http {

// Draws indices with given weights in constant time: each of n columns holds at most two indices (A. Walker
// 1977, in the form of M. Vose 1991).
class AliasTable {
 public:
  // At least one weight, none negative, not all zero.
  explicit AliasTable(const std::vector<double>& weights);

  [[nodiscard]] std::uint32_t draw(Random& random) const {
    const Column& column = columns_[random.below(static_cast<std::uint32_t>(columns_.size()))];
    return random.share() < column.own ? column.index : column.alias;
  }

 private:
  struct Column {
    double own = 1;  // the part of the column that belongs to `index`; the rest is the alias's
    std::uint32_t index = 0, alias = 0;
  };
  std::vector<Column> columns_;
};

}  // namespace vtax::http
