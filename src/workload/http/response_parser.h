#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workload/http/head_buffer.h"

namespace vtax::http {

inline constexpr std::size_t kLongestResponseHead = 16384;

// One response of a server that is not trusted, from the pieces in which it comes (RFC 9112): content by
// Content-Length, chunked or up to the connection's end. The content is counted, not kept.
class ResponseParser {
 public:
  enum class State { head, length, chunk_size, chunk, chunk_end, trailer, until_close, done, bad };

  ResponseParser() : head_(kLongestResponseHead) {}

  // For the next response on the same connection.
  void reset();

  // Takes what belongs to the response from the front of `data`: all of it, or less once done or bad.
  std::size_t feed(std::string_view data);

  // The connection has ended: content that has no other end is done by that, anything else is bad.
  void end();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] bool bad() const { return state_ == State::bad; }
  [[nodiscard]] const char* why() const { return why_; }  // of bad

  // Something of this response has come.
  [[nodiscard]] bool begun() const { return state_ != State::head || head_.begun() || interim_ > 0; }
  [[nodiscard]] int status() const { return status_; }              // once past the head
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }     // once done: the connection may go on
  [[nodiscard]] std::uint64_t content() const { return content_; }  // bytes so far

  // So many bytes from the connection are content whatever they are: a caller may drop them unread and say so
  // by skip().
  [[nodiscard]] std::uint64_t skippable() const { return state_ == State::length ? left_ : 0; }
  void skip(std::uint64_t bytes);

 private:
  void read_head(std::string_view head);
  std::size_t take_content(std::size_t available);
  std::size_t read_chunk_size(std::string_view data);
  std::size_t read_trailer(std::string_view data);
  void fail(const char* why);

  HeadBuffer head_;
  State state_ = State::head;
  int status_ = 0;
  int interim_ = 0;  // 1xx responses before this one
  bool keep_alive_ = false;
  std::uint64_t content_ = 0;
  std::uint64_t left_ = 0;      // of the content or of the chunk
  std::uint32_t line_ = 0;      // characters of the chunk's or trailer's line so far
  std::uint32_t trailers_ = 0;  // characters of the whole trailer
  int digits_ = 0;              // of the chunk's size
  bool extension_ = false, carriage_return_ = false;
  const char* why_ = "";
};

}  // namespace vtax::http
