#include "machine/lab/guest_messages.h"

#include <fmt/format.h>
#include <zlib.h>

#include <charconv>

namespace vtax::lab {
namespace {

constexpr std::string_view kPrefix = "@vtax ";
constexpr std::size_t kMaxHeadBytes = 64;

tl::unexpected<Error> damaged(std::string_view why) {
  return fail({"cannot understand the machine's message", std::string(why),
               "run the trial again; `vtax lab boot` shows the machine's console", ExitCode::trial_failed});
}

// Takes the text up to the next space off the front.
std::string_view word(std::string_view& text) {
  const std::size_t end = text.find(' ');
  const std::string_view first = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return first;
}

template <class T>
bool parse(std::string_view text, T& value, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<> GuestMessages::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    partial_.append(bytes.substr(0, end));
    if (partial_.size() > kMaxMessageBytes + kMaxHeadBytes) return damaged("a line is longer than 1 MiB");
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    auto done = line(partial_);
    partial_.clear();
    if (!done) return done;
  }
  return {};
}

Result<> GuestMessages::line(std::string_view text) {
  if (!text.starts_with(kPrefix)) return {};
  text.remove_prefix(kPrefix.size());
  const std::string_view type = word(text);
  std::size_t length = 0;
  std::uint32_t checksum = 0;
  const std::string_view length_text = word(text);
  const std::string_view checksum_text = word(text);
  if (!parse(length_text, length, 10) || checksum_text.size() != 8 || !parse(checksum_text, checksum, 16))
    return damaged("a message's head is damaged");
  if (type != "ready" && type != "progress" && type != "result" && type != "error")
    return damaged(fmt::format("unknown message type '{}'", type.substr(0, 20)));
  if (length != text.size()) return damaged("a message's length is wrong");
  if (crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())) != checksum)
    return damaged("a message's checksum is wrong");
  messages_.push_back({std::string(type), std::string(text)});
  return {};
}

std::optional<GuestMessage> GuestMessages::next() {
  if (messages_.empty()) return std::nullopt;
  GuestMessage first = std::move(messages_.front());
  messages_.pop_front();
  return first;
}

}  // namespace vtax::lab
