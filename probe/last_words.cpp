// What an emulator that dies has no word for: where its thread was. abort() in QEMU, in glib or in a library
// is sometimes silent, and cores are off on most computers. Part of what is loaded into QEMU with LD_PRELOAD;
// the signal ends the process as it would have without.

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace {

constexpr int kMostCalls = 64;

void say(const char* text) {
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
}

void on_death(int signal) {
  char thread[16] = {};
  prctl(PR_GET_NAME, thread);
  say("vtax: signal ");
  const char* const name = sigabbrev_np(signal);
  say(name != nullptr ? name : "?");
  say(" in the emulator's thread '");
  say(thread);
  say("', which was here:\n");
  void* calls[kMostCalls];
  backtrace_symbols_fd(calls, backtrace(calls, kMostCalls), STDERR_FILENO);
  raise(signal);  // by default it ends the process, once this is left
}

[[gnu::constructor]] void prepare() {
  void* call = nullptr;
  backtrace(&call, 1);  // loads what it needs now: a dying thread may hold any lock
  struct sigaction action {};
  action.sa_handler = on_death;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTRAP}) sigaction(signal, &action, nullptr);
}

}  // namespace
