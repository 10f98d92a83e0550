#include "workload/http/response_parser.h"

#include <algorithm>
#include <optional>

#include "workload/http/fields.h"

namespace vtax::http {
namespace {

constexpr int kMostInterim = 8;
constexpr std::uint32_t kLongestChunkLine = 256, kLongestTrailer = 8192;

// "HTTP/1.1 200 OK"; the reason may be empty, and its space with it.
std::optional<int> status_of(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ')
    return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  const auto status = digits(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599) return std::nullopt;
  return static_cast<int>(*status);
}

}  // namespace

void ResponseParser::reset() {
  head_.clear();
  state_ = State::head;
  status_ = interim_ = digits_ = 0;
  keep_alive_ = extension_ = carriage_return_ = false;
  content_ = left_ = 0;
  line_ = trailers_ = 0;
  why_ = "";
}

void ResponseParser::fail(const char* why) {
  state_ = State::bad;
  why_ = why;
}

std::size_t ResponseParser::feed(std::string_view data) {
  std::size_t all = 0;
  while (all < data.size()) {
    const std::string_view rest = data.substr(all);
    switch (state_) {
      case State::head: {
        std::size_t used = 0;
        std::string_view head;
        const auto got = head_.take(rest, used, head);
        all += used;
        if (got == HeadBuffer::State::too_long) fail("its head is longer than 16 KB");
        if (got == HeadBuffer::State::bare_line_feed)
          fail("a line of its head ends in LF alone, not in CRLF");
        if (got == HeadBuffer::State::complete) read_head(head);
        break;
      }
      case State::length:
      case State::chunk:
      case State::until_close:
        all += take_content(rest.size());
        break;
      case State::chunk_size:
      case State::chunk_end:
        all += read_chunk_size(rest);
        break;
      case State::trailer:
        all += read_trailer(rest);
        break;
      case State::done:
      case State::bad:
        return all;
    }
  }
  return all;
}

void ResponseParser::skip(std::uint64_t bytes) {
  (void)take_content(static_cast<std::size_t>(std::min(bytes, left_)));
}

std::size_t ResponseParser::take_content(std::size_t available) {
  if (state_ == State::until_close) {
    content_ += available;
    return available;
  }
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(available, left_));
  content_ += taken;
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::length ? State::done : State::chunk_end;
  return taken;
}

void ResponseParser::read_head(std::string_view head) {
  const auto line = take_line(head);
  const auto status = line ? status_of(*line) : std::nullopt;
  if (!status) return fail("its first line is no status line of HTTP/1.0 or 1.1");
  status_ = *status;
  keep_alive_ = (*line)[7] == '1';
  std::optional<std::uint64_t> length;
  bool chunked = false;
  FieldReader fields(head);
  while (const auto field = fields.next()) {
    switch (field->name.size()) {
      case 10:
        if (!same_word(field->name, "connection")) break;
        if (lists(field->value, "close"))
          keep_alive_ = false;
        else if (lists(field->value, "keep-alive"))
          keep_alive_ = true;
        break;
      case 14: {
        if (!same_word(field->name, "content-length")) break;
        const auto value = digits(field->value);
        if (!value || (length && *length != *value)) return fail("its Content-Length is no number, or two");
        length = value;
        break;
      }
      case 17:
        if (!same_word(field->name, "transfer-encoding")) break;
        if (chunked || !same_word(field->value, "chunked"))
          return fail("its Transfer-Encoding is another than chunked");
        chunked = true;
        break;
      default:
        break;
    }
  }
  if (!fields.good()) return fail("a line of its head is no field");
  if (chunked && length) return fail("it has both a Content-Length and a Transfer-Encoding");
  if (status_ < 200) {
    if (status_ == 101 || ++interim_ > kMostInterim)
      return fail("it has interim responses that nobody asked for");
    return;  // the next head follows
  }
  if (status_ == 204 || status_ == 304) {
    state_ = State::done;
  } else if (chunked) {
    state_ = State::chunk_size;
  } else if (length) {
    left_ = *length;
    state_ = left_ == 0 ? State::done : State::length;
  } else {
    keep_alive_ = false;
    state_ = State::until_close;
  }
}

// The line "1a3f;extension CRLF", and before all but the first the CRLF that ends the chunk before.
std::size_t ResponseParser::read_chunk_size(std::string_view data) {
  std::size_t used = 0;
  for (const char c : data) {
    ++used;
    if (state_ == State::chunk_end) {
      if (c != (carriage_return_ ? '\n' : '\r')) return fail("a chunk does not end in CRLF"), used;
      if (carriage_return_) state_ = State::chunk_size;
      carriage_return_ = !carriage_return_;
      continue;
    }
    if (++line_ > kLongestChunkLine)
      return fail("the line of a chunk's size is longer than 256 characters"), used;
    if (carriage_return_) {
      if (c != '\n' || digits_ == 0) return fail("a chunk's size is no hexadecimal number"), used;
      carriage_return_ = extension_ = false;
      digits_ = 0;
      line_ = 0;
      state_ = left_ == 0 ? State::trailer : State::chunk;
      return used;
    }
    if (c == '\r') {
      carriage_return_ = true;
    } else if (extension_) {
      if (static_cast<unsigned char>(c) < ' ' && c != '\t')
        return fail("a chunk's extension has control characters"), used;
    } else if (const int digit = hex_digit(c); digit >= 0) {
      if (++digits_ > 15) return fail("a chunk's size has more than 15 digits"), used;
      left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    } else if (digits_ > 0 && (c == ';' || c == ' ' || c == '\t')) {
      extension_ = true;
    } else {
      return fail("a chunk's size is no hexadecimal number"), used;
    }
  }
  return used;
}

// Lines up to an empty one; what they say is of no interest.
std::size_t ResponseParser::read_trailer(std::string_view data) {
  std::size_t used = 0;
  for (const char c : data) {
    ++used;
    if (++trailers_ > kLongestTrailer) return fail("its trailer is longer than 8 KB"), used;
    if (carriage_return_) {
      if (c != '\n') return fail("a line of its trailer does not end in CRLF"), used;
      carriage_return_ = false;
      if (line_ == 0) {
        state_ = State::done;
        return used;
      }
      line_ = 0;
    } else if (c == '\r') {
      carriage_return_ = true;
    } else if (c == '\n') {
      return fail("a line of its trailer does not end in CRLF"), used;
    } else {
      ++line_;
    }
  }
  return used;
}

void ResponseParser::end() {
  if (state_ == State::until_close)
    state_ = State::done;
  else if (state_ != State::done && state_ != State::bad)
    fail("the connection ended before it was whole");
}

}  // namespace vtax::http
