#include "core/memory_kills.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/files.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

// A control group below this process's own, with 16 MiB for whoever is in it; it goes with the object.
class SmallGroup {
 public:
  SmallGroup() {
    const std::string table = read_text("/proc/self/cgroup").value_or("");
    for (const auto& [mark, root, limit] :
         {std::tuple{":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
          {"0::", "/sys/fs/cgroup", "memory.max"}}) {
      const auto at = table.find(mark);
      if (at == std::string::npos) continue;
      const auto begin = at + std::string_view(mark).size();
      const fs::path made = std::string(root) + table.substr(begin, table.find('\n', begin) - begin) +
                            fmt::format("/vtax-memory-kills-{}", getpid());
      std::error_code error;
      if (!fs::create_directory(made, error)) continue;
      folder_ = made;
      if (write(limit, 16 << 20)) return;
      fs::remove(made, error);
      folder_.clear();
    }
  }
  ~SmallGroup() {
    if (!folder_.empty()) ::rmdir(folder_.c_str());
  }
  SmallGroup(const SmallGroup&) = delete;
  SmallGroup& operator=(const SmallGroup&) = delete;

  [[nodiscard]] bool was_made() const { return !folder_.empty(); }
  [[nodiscard]] bool take(pid_t process) const { return write("cgroup.procs", process); }

 private:
  [[nodiscard]] bool write(const char* name, int value) const {
    std::ofstream file(folder_ / name);
    return fs::exists(folder_ / name) && file && (file << value << std::flush);
  }
  fs::path folder_;
};

TEST(MemoryKills, AreThoseOfTheControlGroup) {
  const SmallGroup group;
  if (!group.was_made()) GTEST_SKIP() << "needs the right to make a control group with a memory limit";
  const pid_t inside = fork();
  if (inside == 0) {
    if (!group.take(getpid())) _exit(77);
    const auto before = memory_kills();
    const pid_t greedy = fork();
    if (greedy == 0) {
      constexpr std::size_t kBytes = 256 << 20;
      void* const memory =
          mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      _exit(memory == MAP_FAILED ? 1 : 0);
    }
    int status = 0;
    waitpid(greedy, &status, 0);
    const auto after = memory_kills();
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) _exit(1);
    if (want_of_memory_since(before, "it is little") !=
            "; the kernel has killed for want of memory meanwhile: it is little" ||
        !want_of_memory_since(after, "it is little").empty())
      _exit(3);
    _exit(before && after && *after == *before + 1 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(inside, &status, 0), inside);
  ASSERT_TRUE(WIFEXITED(status)) << "the kernel has killed the test's own process";
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "needs the right to join a control group";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace vtax
