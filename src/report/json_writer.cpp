#include "report/json_writer.h"

#include <cmath>
#include <iterator>

namespace vtax {
namespace {

constexpr std::size_t kFlushAt = 64UL << 10U;

}  // namespace

void JsonWriter::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
}

void JsonWriter::separate() {
  if (needs_comma_) buffer_.push_back(',');
  needs_comma_ = true;
  if (buffer_.size() > kFlushAt) flush();
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  buffer_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  buffer_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::line() {
  if (needs_comma_) buffer_.push_back(',');
  if (lines_ == Lines::several) buffer_.push_back('\n');
  needs_comma_ = false;
  return *this;
}

void JsonWriter::append_string(std::string_view text) {
  buffer_.push_back('"');
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != '<') continue;
    buffer_.append(text.data() + start, text.data() + i);
    if (c == '"' || c == '\\') {
      buffer_.push_back('\\');
      buffer_.push_back(text[i]);
    } else {
      fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", c);
    }
    start = i + 1;
  }
  buffer_.append(text.data() + start, text.data() + text.size());
  buffer_.push_back('"');
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_string(name);
  buffer_.push_back(':');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_string(text);
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  separate();
  const fmt::format_int digits(number);
  buffer_.append(digits.data(), digits.data() + digits.size());
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  fmt::format_to(std::back_inserter(buffer_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  separate();
  buffer_.append(std::string_view(truth ? "true" : "false"));
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  buffer_.append(std::string_view("null"));
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  for (const char c : json.empty() ? std::string_view("{}") : json) {
    // In JSON this character stands in strings only.
    if (c == '<') {
      buffer_.append(std::string_view("\\u003c"));
    } else {
      // Between elements only: in strings it is escaped.
      const bool ends_line = c == '\n' || c == '\r';
      buffer_.push_back(ends_line && lines_ == Lines::one ? ' ' : c);
    }
  }
  return *this;
}

}  // namespace vtax
