#include "core/interruption.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>

namespace vtax {
namespace {

std::atomic<int> count{0};
static_assert(std::atomic<int>::is_always_lock_free);

int event_fd() {
  static const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

void on_signal(int number) {
  if (count.fetch_add(1) > 0) _exit(128 + number);
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

bool interrupted() {
  return count.load() > 0;
}

int interruption_fd() {
  return event_fd();
}

Error interruption_error() {
  return {"interrupted", "", "finished trials of a study are kept; `vtax run ... --resume` goes on",
          ExitCode::interrupted};
}

}  // namespace vtax
