#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace vtax::http {

// Connections that come and go: each has a place while it is there, which is numbered and never moves.
template <class T>
class Places {
 public:
  // A free one, as its last tenant left it, or a new one.
  [[nodiscard]] std::uint32_t take() {
    if (free_.empty()) {
      all_.emplace_back();
      return static_cast<std::uint32_t>(all_.size() - 1);
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    return place;
  }
  void give_back(std::uint32_t place) { free_.push_back(place); }

  [[nodiscard]] T& operator[](std::uint32_t place) { return all_[place]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }  // taken or free

 private:
  std::deque<T> all_;
  std::vector<std::uint32_t> free_;
};

}  // namespace vtax::http
