#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "core/descriptor.h"
#include "watch/screen/testing/xterm.h"

namespace vtax::watch {

// A process on a terminal of its own, and what the terminal shows.
class TerminalProcess {
 public:
  TerminalProcess(std::size_t columns, std::size_t rows, const std::function<int()>& child,
                  const std::string& terminal = "xterm", const std::string& locale = "C.UTF-8")
      : xterm_(columns, rows) {
    const winsize size = size_of(columns, rows);
    int master = -1, slave = -1;
    if (openpty(&master, &slave, nullptr, nullptr, &size) != 0) return;
    master_ = Descriptor(master);
    slave_ = Descriptor(slave);  // kept, so that its modes can be asked for afterwards
    fcntl(master, F_SETFD, FD_CLOEXEC);
    tcgetattr(slave, &modes_);
    process_ = fork();
    if (process_ != 0) return;
    setenv("TERM", terminal.c_str(), 1);
    setenv("LC_ALL", locale.c_str(), 1);
    unsetenv("COLUMNS");
    unsetenv("LINES");
    login_tty(dup(slave));
    _exit(child());
  }
  ~TerminalProcess() {
    if (process_ > 0) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
  }
  TerminalProcess(const TerminalProcess&) = delete;
  TerminalProcess& operator=(const TerminalProcess&) = delete;

  void type(std::string_view keys) { (void)!write(master_.get(), keys.data(), keys.size()); }

  void resize(std::size_t columns, std::size_t rows) {
    xterm_.resize(columns, rows);
    const winsize size = size_of(columns, rows);
    ioctl(master_.get(), TIOCSWINSZ, &size);  // tells the process, too
  }

  void signal(int number) { kill(process_, number); }

  // Whether it comes to show this within ten seconds.
  [[nodiscard]] bool shows(std::string_view wanted) {
    return until([&] { return xterm_.text().find(wanted) != std::string::npos; });
  }
  [[nodiscard]] bool until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      take_output(50);
    }
    return true;
  }

  // The status of waitpid(2), -1 after ten seconds without an end.
  [[nodiscard]] int end() {
    int status = -1;
    const bool ended = until([&] {
      take_output(0);
      return waitpid(process_, &status, WNOHANG) == process_;
    });
    if (!ended) return -1;
    process_ = -1;
    take_output(100);
    return status;
  }

  // Lines are read and keys shown as before the process began.
  [[nodiscard]] bool is_as_before() const {
    termios now{};
    tcgetattr(slave_.get(), &now);
    return now.c_lflag == modes_.c_lflag && now.c_iflag == modes_.c_iflag && now.c_oflag == modes_.c_oflag &&
           !xterm_.is_alternate() && xterm_.is_cursor_shown();
  }

  [[nodiscard]] const Xterm& xterm() const { return xterm_; }
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  static winsize size_of(std::size_t columns, std::size_t rows) {
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = static_cast<unsigned short>(rows);
    return size;
  }

  void take_output(int wait_ms) {
    std::array<char, 65536> buffer{};
    pollfd one{master_.get(), POLLIN, 0};
    while (poll(&one, 1, wait_ms) > 0 && (one.revents & POLLIN) != 0) {
      const ssize_t got = read(master_.get(), buffer.data(), buffer.size());
      if (got <= 0) return;
      const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
      output_ += text;
      xterm_.take(text);
      wait_ms = 0;
    }
  }

  Descriptor master_, slave_;
  termios modes_{};
  pid_t process_ = -1;
  Xterm xterm_;
  std::string output_;
};

}  // namespace vtax::watch
