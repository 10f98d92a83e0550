#include "core/json_writer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

#include "core/harmless.h"

namespace vtax {
namespace {

constexpr std::size_t kFlushAt = 64UL << 10U;

// Every harmful character has four digits.
std::string escaped_in_json(std::optional<std::uint32_t> character) {
  return fmt::format("\\u{:04x}", character.value_or(0xfffd));
}

std::string question_mark(std::optional<std::uint32_t>) {
  return "?";
}

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

void JsonWriter::append_harmless(std::string_view text) {
  const std::string harmless =
      without_harm(text, harmful_ == Harmful::escaped ? escaped_in_json : question_mark);
  buffer_.append(harmless);
}

void JsonWriter::append_string(std::string_view text) {
  const auto is_beyond_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x7f; };
  buffer_.push_back('"');
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<') {
      ++i;
      continue;
    }
    buffer_.append(text.data() + start, text.data() + i);
    start = i + 1;
    if (is_beyond_ascii(text[i])) {
      start = static_cast<std::size_t>(
          std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_beyond_ascii) -
          text.begin());
      append_harmless(text.substr(i, start - i));
    } else if (c == '"' || c == '\\') {
      buffer_.push_back('\\');
      buffer_.push_back(text[i]);
    } else if (c < 0x20 && c != '\n' && c != '\t') {
      append_harmless(text.substr(i, 1));
    } else {
      fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", c);
    }
    i = start;
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
  if (json.empty()) json = "{}";
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    // In JSON these characters stand in strings only.
    if (c == '<') {
      buffer_.append(std::string_view("\\u003c"));
    } else if (static_cast<unsigned char>(c) >= 0x7f) {
      const std::size_t from = i;
      while (i + 1 < json.size() && static_cast<unsigned char>(json[i + 1]) >= 0x7f) ++i;
      append_harmless(json.substr(from, i + 1 - from));
    } else {
      // Between elements only: in strings it is escaped.
      const bool ends_line = c == '\n' || c == '\r';
      buffer_.push_back(ends_line && lines_ == Lines::one ? ' ' : c);
    }
  }
  return *this;
}

}  // namespace vtax
