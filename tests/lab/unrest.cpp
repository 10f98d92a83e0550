// Loaded into QEMU by a test: makes its main loop come round all the time and lingers where the CPUs' thread
// has halted but has not yet accounted for it. What the host's scheduler does once in hundreds of trials
// happens thousands of times in one.

#include <dlfcn.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace {

unsigned random_number() {
  thread_local unsigned state = static_cast<unsigned>(gettid()) * 2654435761U | 1U;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

// Sleeping would take far longer than asked.
void linger(long nanoseconds) {
  timespec begin{}, now{};
  clock_gettime(CLOCK_MONOTONIC, &begin);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - begin.tv_sec) * 1'000'000'000 + now.tv_nsec - begin.tv_nsec < nanoseconds);
}

// A CPU that halts leaves its generated code by a long jump.
template <class Jump>
[[noreturn]] void linger_and_jump(const char* name, sigjmp_buf to, int value) {
  static auto* const next = reinterpret_cast<Jump*>(dlsym(RTLD_NEXT, name));
  if (random_number() % 4 == 0) linger(static_cast<long>(random_number() % 30'000));
  next(to, value);
  __builtin_unreachable();
}

}  // namespace

extern "C" {

[[noreturn]] void siglongjmp(sigjmp_buf to, int value) noexcept {
  linger_and_jump<void(sigjmp_buf, int)>("siglongjmp", to, value);
}

[[noreturn]] void __longjmp_chk(sigjmp_buf to, int value) {
  linger_and_jump<void(sigjmp_buf, int)>("__longjmp_chk", to, value);
}

int ppoll(pollfd* files, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  using Poll = int(pollfd*, nfds_t, const timespec*, const sigset_t*);
  static auto* const next = reinterpret_cast<Poll*>(dlsym(RTLD_NEXT, "ppoll"));
  if (getpid() != gettid()) return next(files, count, timeout, mask);
  timespec soon{0, static_cast<long>(random_number() % 200'000)};
  if (timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec < soon.tv_nsec) soon = *timeout;
  return next(files, count, &soon, mask);
}

}  // extern "C"
