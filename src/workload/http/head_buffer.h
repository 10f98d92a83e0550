#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vtax::http {

// Collects the head of a message (RFC 9112: up to and with the empty line) from the pieces in which it comes.
// A head that comes whole, the usual case, is not copied.
class HeadBuffer {
 public:
  // bare_line_feed: a line ends in LF alone. RFC 9112, 2.2, lets a reader take that for the end of a line;
  // who waits for the CR waits until its time is over, and who takes it may read another message than its
  // neighbour.
  enum class State { incomplete, complete, too_long, bare_line_feed };

  explicit HeadBuffer(std::size_t limit) : limit_(limit) {}

  // Takes what belongs to the head from the front of `data`; `used` says how much. `head` is set when it is
  // complete, and is good until `data` goes or take() is called again.
  [[nodiscard]] State take(std::string_view data, std::size_t& used, std::string_view& head);

  // Part of a head has come.
  [[nodiscard]] bool begun() const { return !pending_.empty(); }
  void clear() { pending_.clear(); }

 private:
  std::size_t limit_;
  std::string pending_;
  bool finished_ = false;  // `pending_` is a head that was handed out
};

}  // namespace vtax::http
