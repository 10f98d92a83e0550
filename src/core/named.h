#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace vtax {

// The same text, kept once for the life of the program: for names of which a run has few, in many places.
[[nodiscard]] std::string_view kept(std::string_view name);

// A map from a few names, ordered by name. A run of many cells holds some for each: of what a std::map takes
// this is a quarter.
template <class Value>
class Named {
 public:
  using Entry = std::pair<std::string_view, Value>;
  using const_iterator = typename std::vector<Entry>::const_iterator;

  [[nodiscard]] const_iterator begin() const { return entries_.begin(); }
  [[nodiscard]] const_iterator end() const { return entries_.end(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  [[nodiscard]] const_iterator find(std::string_view name) const {
    const auto place = std::lower_bound(begin(), end(), name, is_before);
    return place == end() || place->first != name ? end() : place;
  }
  [[nodiscard]] bool contains(std::string_view name) const { return find(name) != end(); }

  Value& operator[](std::string_view name) {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), name, is_before);
    if (place != entries_.end() && place->first == name) return place->second;
    return entries_.insert(place, Entry{kept(name), Value{}})->second;
  }

  void shrink() { entries_.shrink_to_fit(); }

  bool operator==(const Named&) const = default;

 private:
  static bool is_before(const Entry& entry, std::string_view name) { return entry.first < name; }

  std::vector<Entry> entries_;
};

}  // namespace vtax
