// Makes QEMU's threads take turns, so that a machine under -icount is the same to the bit in every run.
// Loaded into QEMU with LD_PRELOAD; docs/design/probe.md, "Threads that take turns", says which races it
// closes.
//
// The emulated CPUs share one thread. While it executes, QEMU's main loop and its RCU thread stay out of the
// machine: they go on when the CPUs' thread waits because every CPU is halted, and one at a time.
//
// What is known of QEMU: each thread takes the big lock around what it does to the machine, and the CPUs'
// thread sleeps in pthread_cond_wait on that lock. Which mutex that is, is seen: main waits on it too, for
// the CPUs' thread to begin.

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "idle.h"

extern "C" {
__attribute__((visibility("default"))) vtax::probe::RestHook vtax_rest_hook;
}

namespace {

// The newest of its versions: plain dlsym() may find the one of glibc 2.2.
template <class Function>
Function* next_of(const char* name, const char* version) {
  return reinterpret_cast<Function*>(dlvsym(RTLD_NEXT, name, version));
}

int mutex_lock(pthread_mutex_t* mutex) {
  static auto* const next = next_of<int(pthread_mutex_t*)>("pthread_mutex_lock", "GLIBC_2.2.5");
  return next(mutex);
}

enum class Role : unsigned char { unknown, main, cpus, other };
[[gnu::tls_model("initial-exec")]] thread_local Role t_role = Role::unknown;
[[gnu::tls_model("initial-exec")]] thread_local bool t_polled = false;   // main: has not had its turn since
[[gnu::tls_model("initial-exec")]] thread_local bool t_at_work = false;  // other: has its turn

Role role() {
  if (t_role == Role::unknown) t_role = getpid() == gettid() ? Role::main : Role::other;
  return t_role;
}

constexpr int kMutexes = 16;
std::atomic<pthread_mutex_t*> g_waited_by_main[kMutexes];
std::atomic<int> g_waited_count{0};
std::atomic<pthread_mutex_t*> g_big_lock{nullptr};

// Changed with the big lock held.
std::atomic<pthread_cond_t*> g_cpus_wait{nullptr};  // where the CPUs' thread waits; null while it executes
std::atomic<bool> g_cpus_called{false};             // it was woken and has not yet come
std::atomic<int> g_others_at_work{0};
std::atomic<int> g_waiting{0};  // threads that wait for their turn

std::atomic<unsigned> g_turns{0};  // a futex: counts the moments at which someone's turn may have come

long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  static auto* const next = next_of<long(long, ...)>("syscall", "GLIBC_2.2.5");
  return next(number, a, b, c, d, e, f);
}

void announce_turn() {
  g_turns.fetch_add(1);
  raw_syscall(SYS_futex, reinterpret_cast<long>(&g_turns), FUTEX_WAKE_PRIVATE, 1 << 20, 0, 0, 0);
}

void wait_for_a_turn(unsigned seen) {
  timespec limit{0, 100'000'000};
  raw_syscall(SYS_futex, reinterpret_cast<long>(&g_turns), FUTEX_WAIT_PRIVATE, seen,
              reinterpret_cast<long>(&limit), 0, 0);
}

bool cpus_rest() {
  return g_cpus_wait.load() != nullptr && !g_cpus_called.load();
}

// A machine that spins for ever may have asked main to end it, so main waits no longer than this, of the time
// that the CPUs' thread executed: while that waits for its turn on the host, or for a joined machine, nothing
// happens. Nothing is lost by going on in the middle of so long a stretch but for one chance in 100,000 that
// it ends just then.
constexpr long kMainsPatience = 1'000'000'000;         // ns
std::atomic<clockid_t> g_cpus_clock{CLOCK_MONOTONIC};  // until that thread is known

long now() {
  timespec time{};
  clock_gettime(g_cpus_clock.load(), &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// QEMU looks at what its own call has left there, and gives up where it is not what that may leave.
class KeptErrno {
 public:
  ~KeptErrno() { errno = value_; }

 private:
  int value_ = errno;
};

// Returns with the big lock held, while every CPU is halted and no one else is at work.
void take_turn(pthread_mutex_t* big_lock) {
  const KeptErrno kept;
  const long begin = now();
  g_waiting.fetch_add(1);
  while (true) {
    const unsigned seen = g_turns.load();
    mutex_lock(big_lock);
    if (cpus_rest() && g_others_at_work.load() == 0) break;
    if (role() == Role::main && now() - begin > kMainsPatience) break;
    pthread_mutex_unlock(big_lock);
    wait_for_a_turn(seen);
  }
  g_waiting.fetch_sub(1);
}

// Around what a thread other than these two sleeps in: awake it is at work, and begins only when it may.
void before_sleep() {
  if (!t_at_work) return;
  t_at_work = false;
  g_others_at_work.fetch_sub(1);
  announce_turn();
}

void after_sleep() {
  pthread_mutex_t* const big_lock = g_big_lock.load();
  if (big_lock == nullptr) return;
  take_turn(big_lock);
  t_at_work = true;
  g_others_at_work.fetch_add(1);
  pthread_mutex_unlock(big_lock);
}

void remember_waited_by_main(pthread_mutex_t* mutex) {
  const int count = g_waited_count.load();
  for (int i = 0; i < count; ++i)
    if (g_waited_by_main[i].load() == mutex) return;
  if (count == kMutexes) return;
  g_waited_by_main[count].store(mutex);
  g_waited_count.store(count + 1);
}

bool is_waited_by_main(pthread_mutex_t* mutex) {
  for (int i = 0; i < g_waited_count.load(); ++i)
    if (g_waited_by_main[i].load() == mutex) return true;
  return false;
}

void note_wake_up(pthread_cond_t* condition) {
  if (condition == g_cpus_wait.load() && role() == Role::main) g_cpus_called.store(true);
}

}  // namespace

extern "C" {

#define VTAX_EXPORT __attribute__((visibility("default")))

VTAX_EXPORT int ppoll(pollfd* files, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  static auto* const next =
      next_of<int(pollfd*, nfds_t, const timespec*, const sigset_t*)>("ppoll", "GLIBC_2.4");
  const int ready = next(files, count, timeout, mask);
  if (role() == Role::main) t_polled = true;
  return ready;
}

VTAX_EXPORT int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (!t_polled || mutex != g_big_lock.load(std::memory_order_relaxed)) return mutex_lock(mutex);
  t_polled = false;
  take_turn(mutex);
  return 0;
}

VTAX_EXPORT int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static auto* const next =
      next_of<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait", "GLIBC_2.3.2");
  if (role() == Role::main) remember_waited_by_main(mutex);
  if (role() == Role::other && g_big_lock.load() == nullptr && is_waited_by_main(mutex)) {
    t_role = Role::cpus;
    clockid_t clock{};
    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) g_cpus_clock.store(clock);
    g_big_lock.store(mutex);
  }
  if (role() != Role::cpus || mutex != g_big_lock.load()) return next(condition, mutex);
  const bool others_wait = g_waiting.load() > 0 || g_others_at_work.load() > 0;
  if (vtax_rest_hook != nullptr && vtax_rest_hook(others_wait)) return 0;
  g_cpus_called.store(false);
  g_cpus_wait.store(condition);
  announce_turn();
  const int result = next(condition, mutex);
  g_cpus_wait.store(nullptr);
  return result;
}

VTAX_EXPORT int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  static auto* const next = next_of<int(pthread_cond_t*)>("pthread_cond_broadcast", "GLIBC_2.3.2");
  note_wake_up(condition);
  return next(condition);
}

VTAX_EXPORT int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  static auto* const next = next_of<int(pthread_cond_t*)>("pthread_cond_signal", "GLIBC_2.3.2");
  note_wake_up(condition);
  return next(condition);
}

VTAX_EXPORT int nanosleep(const timespec* time, timespec* rest) {
  static auto* const next = next_of<int(const timespec*, timespec*)>("nanosleep", "GLIBC_2.2.5");
  if (role() != Role::other) return next(time, rest);
  before_sleep();
  const int result = next(time, rest);
  after_sleep();
  return result;
}

// QEMU's own events sleep in futexes.
VTAX_EXPORT long syscall(long number, ...) noexcept {
  va_list arguments;
  va_start(arguments, number);
  long value[6];
  for (long& one : value) one = va_arg(arguments, long);
  va_end(arguments);
  constexpr int kWaitsMask = ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  const bool sleeps =
      number == SYS_futex && (static_cast<int>(value[1]) & kWaitsMask) == FUTEX_WAIT && t_at_work;
  if (sleeps) before_sleep();
  const long result = raw_syscall(number, value[0], value[1], value[2], value[3], value[4], value[5]);
  if (sleeps) after_sleep();
  return result;
}

}  // extern "C"
