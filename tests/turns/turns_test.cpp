// Runs with vtax-turns.so before it, as QEMU does, and has three threads as QEMU has: main, the CPUs', and
// one that sleeps in a futex. What its call says (errno) must be there when its turn has come, however long
// it waited: QEMU's own aborts otherwise. And before the CPUs' thread sleeps it is asked whether it need, and
// told who waits.

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "probe/idle.h"

namespace {

pthread_mutex_t g_big_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t g_begun = PTHREAD_COND_INITIALIZER, g_work = PTHREAD_COND_INITIALIZER;
bool g_cpus_are_there = false, g_cpus_have_work = false;
std::atomic<bool> g_sleeper_is_at_work{false}, g_cpus_execute{false};

constexpr int kExecutesMs = 500;  // several times what who waits for a turn sleeps at once

constexpr int kGoesOn = 3;  // times that the CPUs' thread need not sleep
std::atomic<int> g_asked{0};
std::atomic<bool> g_told_of_others{false};

bool need_not_rest(bool others_wait) {
  if (others_wait) g_told_of_others = true;
  return g_asked++ < kGoesOn;
}

void cpus() {
  pthread_mutex_lock(&g_big_lock);
  g_cpus_are_there = true;
  pthread_cond_signal(&g_begun);
  while (!g_cpus_have_work) pthread_cond_wait(&g_work, &g_big_lock);
  g_cpus_execute = true;
  pthread_mutex_unlock(&g_big_lock);
  poll(nullptr, 0, kExecutesMs);
  pthread_mutex_lock(&g_big_lock);
  g_cpus_have_work = false;
  while (!g_cpus_have_work) pthread_cond_wait(&g_work, &g_big_lock);
  pthread_mutex_unlock(&g_big_lock);
}

// The call's errno, and how long it took.
int sleeper(long& waited_ms) {
  const timespec moment{0, 1'000'000};
  nanosleep(&moment, nullptr);  // awake, it is at work
  g_sleeper_is_at_work = true;
  while (!g_cpus_execute) poll(nullptr, 0, 1);
  timespec begin{}, end{};
  clock_gettime(CLOCK_MONOTONIC, &begin);
  std::atomic<int> word{1};
  errno = 0;
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, nullptr, nullptr, 0);  // it is not 2: at once EAGAIN
  const int said = errno;
  clock_gettime(CLOCK_MONOTONIC, &end);
  waited_ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1'000'000;
  return said;
}

void give_cpus_work() {
  pthread_mutex_lock(&g_big_lock);
  g_cpus_have_work = true;
  pthread_cond_signal(&g_work);
  pthread_mutex_unlock(&g_big_lock);
}

}  // namespace

int main() {
  auto* const hook = static_cast<vtax::probe::RestHook*>(dlsym(RTLD_DEFAULT, vtax::probe::kRestHook));
  if (hook != nullptr) *hook = need_not_rest;
  pthread_mutex_lock(&g_big_lock);
  std::thread of_cpus(cpus);
  while (!g_cpus_are_there) pthread_cond_wait(&g_begun, &g_big_lock);
  pthread_mutex_unlock(&g_big_lock);
  int said = 0;
  long waited_ms = 0;
  std::thread of_sleeper([&] { said = sleeper(waited_ms); });
  while (!g_sleeper_is_at_work) poll(nullptr, 0, 1);
  give_cpus_work();
  of_sleeper.join();
  give_cpus_work();
  of_cpus.join();
  if (waited_ms < kExecutesMs / 2) {
    std::fprintf(stderr, "it did not wait for its turn (%ld ms): is vtax-turns.so preloaded?\n", waited_ms);
    return 1;
  }
  if (said != EAGAIN) {
    std::fprintf(stderr, "its call's errno was %d in place of EAGAIN (%d)\n", said, EAGAIN);
    return 1;
  }
  if (g_asked <= kGoesOn || !g_told_of_others) {
    std::fprintf(stderr, "asked %d times whether it need sleep, told of others: %d\n", g_asked.load(),
                 g_told_of_others.load());
    return 1;
  }
  return 0;
}
