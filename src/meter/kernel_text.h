#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.h"

namespace vtax::meter {

// Files of /proc, /sys and control groups, read often: what is kept open saves finding the path, and fails
// for good when the process or group of which it told is gone, whoever has its number or name by then.
class HeldFile {
 public:
  HeldFile() = default;
  // `folder`: a descriptor, or AT_FDCWD.
  HeldFile(int folder, const char* name);
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  // From its beginning into `buffer`, which grows for it; nothing when it cannot be read any more. Not beyond
  // `most` bytes: whoever owns a process says how long its command line is.
  [[nodiscard]] std::optional<std::string_view> read(std::string& buffer,
                                                     std::size_t most = std::size_t{64} << 20) const;

 private:
  Descriptor fd_;
};

// Once.
[[nodiscard]] std::optional<std::string_view> read_once(int folder, const char* name, std::string& buffer,
                                                        std::size_t most = std::size_t{64} << 20);

// Words and lines of such text, without a copy. Lines end at the next call of next().
class Words {
 public:
  explicit Words(std::string_view text, std::string_view between = " \t\n")
      : rest_(text), between_(between) {}
  [[nodiscard]] std::string_view next() {
    const std::size_t from = rest_.find_first_not_of(between_);
    if (from == std::string_view::npos) {
      rest_ = {};
      return {};
    }
    rest_.remove_prefix(from);
    const std::string_view word = rest_.substr(0, rest_.find_first_of(between_));
    rest_.remove_prefix(word.size());
    return word;
  }
  void skip(int words) {
    while (words-- > 0) static_cast<void>(next());
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_, between_;
};

// The whole text is a number of that type, in decimal.
template <class T>
[[nodiscard]] std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value behind `key` at a line's start ("memory 12\n"); nothing where there is no such line.
[[nodiscard]] std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key);

// Names that are numbers in a folder that is open, from its beginning.
[[nodiscard]] std::vector<int> numbers_in_folder(int folder);

}  // namespace vtax::meter
