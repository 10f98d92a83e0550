#include "workload/orders/marked_window.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "core/readable.h"

namespace vtax {

Result<std::unique_ptr<MarkedWindow>> MarkedWindow::open(Acts acts) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(system_error("cannot make a socket for a program's marks", errno));
  std::unique_ptr<MarkedWindow> self(new MarkedWindow(std::move(acts)));
  self->ours_ = Descriptor(ends[0]);
  self->theirs_ = Descriptor(ends[1]);
  return self;
}

MarkedWindow::~MarkedWindow() {
  stop();
}

void MarkedWindow::start() {
  theirs_.reset();
  thread_ = std::thread([this] { serve(); });
}

void MarkedWindow::serve() {
  std::string text;
  char part[2 * kLongestLine];
  while (state_ != State::refused) {
    const ssize_t got = recv(ours_.get(), part, sizeof part, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;  // nobody has the other end any more, or stop()
    text.append(part, static_cast<std::size_t>(got));
    const std::size_t end = text.find('\n');
    if (end < text.size() - 1) return refuse("it wrote on before it had the answer to its first line");
    if (text.size() > kLongestLine || text.find('\0') != std::string::npos)
      return refuse(fmt::format("it wrote '{}'", printable(text.substr(0, kLongestLine))));
    if (end == std::string::npos) continue;
    obey(std::string_view(text).substr(0, end));
    text.clear();
  }
}

void MarkedWindow::obey(std::string_view line) {
  if (line == "end" && state_ == State::begun) {
    open_ = false;
    if (Result<> ended = acts_.end(); !ended) return refuse(ended.error().text());
    // Who goes on without its answer began its work before the window did.
    if (has_unread_answer()) return refuse("it wrote 'end' before it had read the answer to 'begin'");
    state_ = State::ended;
  } else if (line == "begin" && state_ == State::waits) {
    state_ = State::begun;
    open_ = true;
    if (Result<> begun = acts_.begin(); !begun) return refuse(begun.error().text());
  } else if (line == "begin") {
    return refuse(state_ == State::begun ? "it wrote 'begin' twice" : "it wrote 'begin' after 'end'");
  } else if (line == "end") {
    return refuse(state_ == State::waits ? "it wrote 'end' without 'begin'" : "it wrote 'end' twice");
  } else {
    return refuse(fmt::format("it wrote '{}'", printable(line)));
  }
  send(ours_.get(), "\n", 1, MSG_NOSIGNAL);
}

void MarkedWindow::refuse(std::string why) {
  state_ = State::refused;
  why_ = std::move(why);
  shutdown(ours_.get(), SHUT_RDWR);
}

bool MarkedWindow::has_unread_answer() const {
  int bytes = 0;
  return ioctl(ours_.get(), SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

// What the program wrote last is still read.
void MarkedWindow::stop() {
  if (!thread_.joinable()) return;
  shutdown(ours_.get(), SHUT_RDWR);
  thread_.join();
}

Result<> MarkedWindow::finish() {
  stop();
  if (std::exchange(open_, false))
    if (Result<> ended = acts_.end(); !ended) return ended;
  switch (state_) {
    case State::ended:
      return {};
    case State::waits:
      why_ = "it has marked no window, by lines 'begin' and 'end' to the descriptor VTAX_WINDOW";
      break;
    case State::begun:
      why_ = "it has ended without an 'end' to its window";
      break;
    case State::refused:
      break;
  }
  return fail({"let the program mark its window", why_, "", ExitCode::trial_failed});
}

}  // namespace vtax
