#include "workload/http/head_buffer.h"

#include <algorithm>
#include <cstring>

namespace vtax::http {
namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";

// By the ends of its lines: memchr looks at many bytes at once, memmem at each.
std::size_t find_end(std::string_view text) {
  std::size_t from = end_of_head.size() - 1;
  while (from < text.size()) {
    const void* found = std::memchr(text.data() + from, '\n', text.size() - from);
    if (found == nullptr) return std::string_view::npos;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + 1;
    if (text.substr(end - end_of_head.size(), end_of_head.size()) == end_of_head) return end;
    from = end;
  }
  return std::string_view::npos;
}

}  // namespace

HeadBuffer::State HeadBuffer::take(std::string_view data, std::size_t& used, std::string_view& head) {
  if (finished_) {
    pending_.clear();
    finished_ = false;
  }
  used = 0;
  if (pending_.empty()) {
    const std::size_t end = find_end(data.substr(0, limit_));
    if (end != std::string_view::npos) {
      head = data.substr(0, used = end);
      return State::complete;
    }
    if (data.size() >= limit_) return State::too_long;
    pending_.assign(data);
    used = data.size();
    return State::incomplete;
  }
  const std::size_t before = pending_.size();
  pending_.append(data.substr(0, limit_ - before));
  const std::size_t from = before >= 3 ? before - 3 : 0;
  const std::size_t end = find_end(std::string_view(pending_).substr(from));
  if (end != std::string_view::npos) {
    pending_.resize(from + end);
    used = pending_.size() - before;
    head = pending_;
    finished_ = true;
    return State::complete;
  }
  used = pending_.size() - before;
  return pending_.size() >= limit_ ? State::too_long : State::incomplete;
}

}  // namespace vtax::http
