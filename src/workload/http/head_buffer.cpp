#include "workload/http/head_buffer.h"

#include <algorithm>
#include <cstring>

namespace vtax::http {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";

struct Found {
  HeadBuffer::State state;
  std::size_t end = 0;  // behind the line feed that tells
};

// By the ends of its lines from `from` on: memchr looks at many bytes at once, memmem at each.
Found find_end(std::string_view text, std::size_t from) {
  while (from < text.size()) {
    const void* found = std::memchr(text.data() + from, '\n', text.size() - from);
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + 1;
    if (end < 2 || text[end - 2] != '\r') return {HeadBuffer::State::bare_line_feed, end};
    if (text.substr(0, end).ends_with(kEndOfHead)) return {HeadBuffer::State::complete, end};
    from = end;
  }
  return {HeadBuffer::State::incomplete};
}

}  // namespace

HeadBuffer::State HeadBuffer::take(std::string_view data, std::size_t& used, std::string_view& head) {
  if (finished_) {
    pending_.clear();
    finished_ = false;
  }
  used = 0;
  if (pending_.empty()) {
    const Found found = find_end(data.substr(0, limit_), 0);
    used = found.end;
    if (found.state == State::complete) head = data.substr(0, used);
    if (found.state != State::incomplete) return found.state;
    if (data.size() >= limit_) return State::too_long;
    pending_.assign(data);
    used = data.size();
    return State::incomplete;
  }
  const std::size_t before = pending_.size();
  pending_.append(data.substr(0, limit_ - before));
  const Found found = find_end(pending_, before);
  if (found.state == State::bare_line_feed) {
    used = found.end - before;
    return found.state;
  }
  if (found.state == State::complete) {
    pending_.resize(found.end);
    used = pending_.size() - before;
    head = pending_;
    finished_ = true;
    return State::complete;
  }
  used = pending_.size() - before;
  return pending_.size() >= limit_ ? State::too_long : State::incomplete;
}

}  // namespace vtax::http
