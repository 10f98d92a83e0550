#include "workload/traffic/control_channel.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "core/interruption.h"

namespace vtax {

nlohmann::json error_message(const Error& error) {
  return {{"state", "error"}, {"what", error.what}, {"why", error.why}};
}

Result<> ControlChannel::send(const nlohmann::json& message) {
  const std::string line = message.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t sent = ::send(fd_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return fail(cause_of(system_error(fmt::format("cannot send to {}", partner_), errno)));
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<JsonFields> ControlChannel::receive(std::chrono::nanoseconds limit) {
  using Clock = std::chrono::steady_clock;
  const std::string what = fmt::format("message from {}", partner_);
  const auto broken = [&](std::string why) {
    return fail(cause_of({what, std::move(why), "", ExitCode::trial_failed}));
  };
  const Clock::time_point end = Clock::now() + limit;
  while (true) {
    if (const std::size_t newline = pending_.find('\n'); newline != std::string::npos) {
      Result<JsonFields> message = JsonFields::parse(what, std::string_view(pending_).substr(0, newline));
      pending_.erase(0, newline + 1);
      return message;
    }
    if (pending_.size() > JsonFields::kMostBytes) return broken("the line is too long");
    int wait_ms = -1;
    if (limit.count() > 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
      if (left <= 0) return broken("nothing came within the time limit");
      wait_ms = static_cast<int>(std::min<std::int64_t>(left, 1'000'000));
    }
    std::array<pollfd, 4> waiting{{{fd_.get(), POLLIN, 0},
                                   {ends_on_interruption_ ? interruption_fd() : -1, POLLIN, 0},
                                   {ends(), POLLIN, 0},
                                   {sign_.get(), POLLIN, 0}}};
    const int ready = poll(waiting.data(), waiting.size(), wait_ms);
    if (ready < 0 && errno != EINTR) return fail(system_error(what, errno));
    if (ends_on_interruption_ && interrupted()) return fail(interruption_error());
    if (ready > 0 && waiting[0].revents == 0 && waiting[2].revents != 0)
      if (const auto error = guests_->error()) return fail(*error);
    if (ready > 0 && waiting[0].revents == 0 && waiting[3].revents != 0)
      if (Result<> told = tell_news(); !told) return fail(told.error());
    if (ready <= 0 || waiting[0].revents == 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t received = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return fail(cause_of(system_error(what, errno)));
    if (received == 0) return broken("the connection was closed");
    pending_.append(buffer.data(), static_cast<std::size_t>(received));
  }
}

Error ControlChannel::cause_of(Error error) const {
  // A guest's network goes before what runs it can be seen to have ended.
  constexpr std::chrono::milliseconds kDying{200};
  if (guests_)
    if (auto end = guests_->error(kDying)) return std::move(*end);
  return error;
}

Result<> ControlChannel::tell_news() {
  const Error error = news_();
  tell_when({}, {});
  return send(error_message(error));
}

bool ControlChannel::has_news() const {
  std::array<pollfd, 2> waiting{{{fd_.get(), POLLIN | POLLRDHUP, 0}, {ends(), POLLIN, 0}}};
  return !pending_.empty() || poll(waiting.data(), waiting.size(), 0) > 0;
}

}  // namespace vtax
