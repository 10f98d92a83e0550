#include "core/interruption.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <string_view>

#include "core/unfinished_file.h"

namespace vtax {
namespace {

std::atomic<int> count{0};
std::atomic<bool> ends_at_once{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

int event_fd() {
  static const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

void on_signal(int number) {
  const bool is_first = count.fetch_add(1) == 0;
  if (!is_first || ends_at_once) remove_unfinished_files();
  if (!is_first) _exit(128 + number);
  if (ends_at_once) {
    constexpr std::string_view kWords = "vtax: interrupted\n";
    [[maybe_unused]] const ssize_t said = write(STDERR_FILENO, kWords.data(), kWords.size());
    _exit(static_cast<int>(ExitCode::interrupted));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_fd(), &one, sizeof one);
}

}  // namespace

void catch_interruptions() {
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond RLIMIT_FSIZE is an error like others
  (void)event_fd();
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

void end_at_interruptions() {
  ends_at_once = true;
}

bool interrupted() {
  return count.load() > 0;
}

int interruption_fd() {
  return event_fd();
}

Error interruption_error() {
  return {"interrupted", "", "", ExitCode::interrupted};
}

}  // namespace vtax
