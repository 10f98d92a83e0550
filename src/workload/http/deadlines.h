#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace vtax::http {

// Which of many connections has waited longest, when all of them may wait equally long: a list in the order
// of their last touch, by index. Each operation takes constant time and never allocates once grown.
class Deadlines {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // Puts `index` last, with the time `at`, which is not before that of any other.
  void touch(std::uint32_t index, Instant at) {
    if (index >= links_.size()) links_.resize(index + 1);
    remove(index);
    Link& link = links_[index];
    link.at = at;
    link.before = last_;
    link.after = kNone;
    link.in = true;
    (last_ == kNone ? first_ : links_[last_].after) = index;
    last_ = index;
  }

  void remove(std::uint32_t index) {
    if (index >= links_.size() || !links_[index].in) return;
    Link& link = links_[index];
    (link.before == kNone ? first_ : links_[link.before].after) = link.after;
    (link.after == kNone ? last_ : links_[link.after].before) = link.before;
    link.in = false;
  }

  [[nodiscard]] std::uint32_t first() const { return first_; }  // none: empty
  [[nodiscard]] Instant first_at() const { return links_[first_].at; }

 private:
  struct Link {
    Instant at;
    std::uint32_t before = kNone, after = kNone;
    bool in = false;
  };
  std::vector<Link> links_;
  std::uint32_t first_ = kNone, last_ = kNone;
};

}  // namespace vtax::http
