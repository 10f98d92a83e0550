#include "core/run_time_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::size_t kMostFunctions = 1'000'000, kMostPieces = 100'000, kLongestFunction = 500;

bool take_hexadecimal(std::string_view& line, std::uint64_t& number) {
  if (line.starts_with("0x")) line.remove_prefix(2);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, 16);
  const auto used = static_cast<std::size_t>(end - line.data());
  if (error != std::errc() || used >= line.size() || line[used] != ' ') return false;
  line.remove_prefix(used + 1);
  return true;
}

struct Line {
  std::uint64_t begin = 0, end = 0;
  std::string_view name;
};

std::optional<Line> read_line(std::string_view text) {
  std::uint64_t begin = 0, size = 0;
  if (!take_hexadecimal(text, begin) || !take_hexadecimal(text, size) || size == 0 || text.empty() ||
      size > ~std::uint64_t{0} - begin)
    return std::nullopt;
  return Line{begin, begin + size, text};
}

}  // namespace

void read_run_time_functions(std::string_view text, RunTimeFunctions& into) {
  while (!text.empty()) {
    const std::string_view line_text = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line_text.size() + 1, text.size()));
    const auto line = read_line(line_text);
    if (!line) continue;
    auto from = into.lower_bound(line->begin);
    if (from != into.begin() && std::prev(from)->second.end > line->begin) --from;
    while (from != into.end() && from->first < line->end) from = into.erase(from);
    if (into.size() >= kMostFunctions) return;
    into[line->begin] = {line->end, printable(line->name, kLongestFunction)};
  }
}

namespace {

// In JSON: an escaped one has two, one of several bytes becomes \uXXXX, or two of these.
std::size_t json_bytes(std::string_view text) {
  std::size_t sum = 0;
  for (const char c : text) sum += (c & 0x80) != 0 ? 3 : c == '"' || c == '\\' || c == '\n' ? 2 : 1;
  return sum;
}

}  // namespace

bool NewestFunctions::cover(std::uint64_t begin, std::uint64_t end) {
  bool was_free = true;
  std::uint64_t whole_begin = begin, whole_end = end;
  auto at = covered_.lower_bound(begin);
  if (at != covered_.begin() && std::prev(at)->second >= begin) --at;
  // What only touches it becomes one piece with it, so that there are few.
  while (at != covered_.end() && at->first <= end) {
    was_free = was_free && (at->first >= end || at->second <= begin);
    whole_begin = std::min(whole_begin, at->first);
    whole_end = std::max(whole_end, at->second);
    at = covered_.erase(at);
  }
  covered_.emplace(whole_begin, whole_end);
  return was_free;
}

void NewestFunctions::add_older(std::string_view text) {
  const auto line = read_line(text);
  if (!line) return;
  const bool is_known = covered_.size() < kMostPieces;
  if (is_known && !cover(line->begin, line->end)) return;
  if (!is_full_ && is_known) {
    const std::string written = fmt::format("{:x} {:x} {}\n", line->begin, line->end - line->begin,
                                            printable(line->name, kLongestFunction));
    const std::size_t needed = json_bytes(written);
    is_full_ = needed > room_;
    if (!is_full_) {
      room_ -= needed;
      lines_ += written;
      return;
    }
  }
  ++left_out_;
}

}  // namespace vtax
