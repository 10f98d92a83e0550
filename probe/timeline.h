#pragma once

// The window in slices: what each context executed from one progress marker to the next, as differences of
// its table.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "contexts.h"
#include "format.h"

namespace vtax::probe {

class Timeline {
 public:
  struct Difference {
    std::uint32_t context, block;
    std::int64_t instructions;
  };

  void begin(std::int64_t now_ns) {
    slices_.clear();
    differences_.clear();
    begin_ns_ = latest_ns_ = now_ns;
  }
  [[nodiscard]] bool has_room() const { return slices_.size() + 1 < kMostSlices; }

  // Ends a slice at an instruction of `current`: `rest` of `block` was counted already and comes after it.
  void cut(const Contexts& contexts, std::uint32_t blocks, const ContextTable* current, std::uint32_t block,
           std::uint64_t rest, Slice slice, std::int64_t now_ns) {
    const std::size_t first = differences_.size();
    current->instructions[block] -= rest;
    std::uint32_t number = 0;
    for (ContextTable* context : contexts.all()) {
      if (context->in_slice) add_differences(*context, number, blocks);
      context->in_slice = false;
      ++number;
    }
    current->instructions[block] += rest;
    // CPUs may be a round apart, so marks of two of them need not come in the order of their times.
    latest_ns_ = std::max(latest_ns_, now_ns);
    slice.end_virtual_ns = static_cast<std::uint64_t>(latest_ns_ - begin_ns_);
    slice.rows = static_cast<std::uint32_t>(differences_.size() - first);
    slices_.push_back(slice);
  }

  [[nodiscard]] const std::vector<Slice>& slices() const { return slices_; }
  [[nodiscard]] const std::vector<Difference>& differences() const { return differences_; }

 private:
  void add_differences(ContextTable& context, std::uint32_t number, std::uint32_t blocks) {
    constexpr std::uint32_t kPiece = 32;  // most blocks of a table did not run
    for (std::uint32_t from = 0; from < blocks; from += kPiece) {
      const std::uint32_t to = std::min(from + kPiece, blocks);
      std::uint64_t changed = 0;
      for (std::uint32_t i = from; i < to; ++i) changed |= context.instructions[i] ^ context.before[i];
      if (changed == 0) continue;
      for (std::uint32_t i = from; i < to; ++i) {
        const auto more = static_cast<std::int64_t>(context.instructions[i] - context.before[i]);
        if (more != 0) differences_.push_back({number, i, more});
        context.before[i] = context.instructions[i];
      }
    }
  }

  std::vector<Slice> slices_;
  std::vector<Difference> differences_;
  std::int64_t begin_ns_ = 0, latest_ns_ = 0;
};

}  // namespace vtax::probe
