#include "platform/backend_placement.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "core/kernel_file.h"

namespace vtax {
namespace {

// A process that calls itself so, with threads that do, and waits to be killed. `%` in a thread's name is the
// process's number.
class Named {
 public:
  Named(const std::string& name, const std::vector<std::string>& threads) {
    int ready[2];
    if (pipe(ready) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      prctl(PR_SET_NAME, name.c_str());
      for (std::string thread : threads) {
        if (const auto place = thread.find('%'); place != std::string::npos)
          thread.replace(place, 1, std::to_string(getpid()));
        std::thread([thread, out = ready[1]] {
          prctl(PR_SET_NAME, thread.c_str());
          if (write(out, "x", 1) == 1) pause();
        }).detach();
      }
      if (write(ready[1], "x", 1) == 1) pause();
      _exit(0);
    }
    char byte = 0;
    for (std::size_t i = 0; i <= threads.size(); ++i) is_ready_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    close(ready[1]);
  }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  ~Named() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  [[nodiscard]] bool is_ready() const { return is_ready_; }
  [[nodiscard]] pid_t process() const { return process_; }

  // Where each thread may run, in the order of their numbers; -1: in several places.
  [[nodiscard]] std::vector<std::pair<std::string, int>> places() const {
    std::map<int, std::pair<std::string, int>> all;
    for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process_))) {
      const int number = std::stoi(thread.path().filename());
      cpu_set_t set;
      sched_getaffinity(number, sizeof set, &set);
      int place = -1;
      for (const int cpu : {0, 1})
        if (CPU_COUNT(&set) == 1 && CPU_ISSET(static_cast<std::size_t>(cpu), &set)) place = cpu;
      all[number] = {read_kernel_file(thread.path() / "comm").value_or(""), place};
    }
    std::vector<std::pair<std::string, int>> out;
    for (const auto& [number, thread] : all) out.push_back(thread);
    return out;
  }

 private:
  pid_t process_ = -1;
  bool is_ready_ = false;
};

class Backends : public testing::Test {
 protected:
  void SetUp() override {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || !CPU_ISSET(0, &set) || !CPU_ISSET(1, &set))
      GTEST_SKIP() << "this process may not use CPUs 0 and 1";
  }
};

// Linux 6.4 and later have vhost's workers as QEMU's threads. Two cards of three queues: each begins at the
// first CPU.
TEST_F(Backends, OfVhostAreSharedOutByQueue) {
  const Named qemu("qemu-system-x86", {"CPU 0/KVM", "vhost-%", "vhost-%", "vhost-%", "vhost-%", "vhost-%",
                                       "vhost-%", "vnc_worker"});
  ASSERT_TRUE(qemu.is_ready());
  const Result<> placed = place_vmm_backend(qemu.process(), {0, 1}, 3);
  ASSERT_TRUE(placed) << placed.error().text();
  std::vector<int> workers;
  for (const auto& [name, place] : qemu.places()) {
    if (name == fmt::format("vhost-{}", qemu.process()))
      workers.push_back(place);
    else
      EXPECT_EQ(place, name == "CPU 0/KVM" ? -1 : 0) << name;
  }
  EXPECT_EQ(workers, (std::vector{0, 1, 0, 0, 1, 0}));
}

TEST_F(Backends, OfVhostMayBeProcessesOfTheKernel) {
  const Named qemu("qemu-system-x86", {"CPU 0/KVM"});
  ASSERT_TRUE(qemu.is_ready());
  const std::string name = fmt::format("vhost-{}", qemu.process());
  const Named first(name, {}), second(name, {}), of_another(name + "0", {});
  ASSERT_TRUE(first.is_ready() && second.is_ready() && of_another.is_ready());
  ASSERT_TRUE(place_vmm_backend(qemu.process(), {1, 0}, 2));
  EXPECT_EQ(first.places().front().second, 1);
  EXPECT_EQ(second.places().front().second, 0);
  EXPECT_EQ(of_another.places().front().second, -1);
}

}  // namespace
}  // namespace vtax
