// Makes and takes down the host's platforms, N times each, and kills `vtax run` at random moments; says how
// long a making takes and what is left. Needs what the platforms need (`vtax doctor`).
//   host_setups [CONTAINERS=1000] [GUESTS=50] [KILLS=100]

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "agent/entry.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"
#include "tests/host/traces.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

int report_left(const std::set<std::string>& before) {
  const auto left = left_behind(before);
  for (const std::string& trace : left) fmt::print("  left behind: {}\n", trace);
  return static_cast<int>(left.size());
}

int make_many(const std::string& platform, int times, const std::map<std::string, host::GuestParts>& guests) {
  const auto before = traces();
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const auto took = host::make_and_take_down(platform, guests);
    if (!took) {
      fmt::print("{}: {}\n", platform, took.error().text());
      return 1;
    }
    seconds.push_back(std::chrono::duration<double>(took->all).count());
  }
  const int left = report_left(before);
  std::sort(seconds.begin(), seconds.end());
  fmt::print("{}: {} times, s: least {:.3f}, median {:.3f}, most {:.3f}; left behind: {}\n", platform, times,
             seconds.front(), seconds[seconds.size() / 2], seconds.back(), left);
  std::fflush(stdout);
  return left;
}

int kill_many(const std::string& platform, int times) {
  const auto before = traces();
  const std::string out = (fs::temp_directory_path() / fmt::format("host-setups-{}.run", getpid())).string();
  std::mt19937 random(11);
  int left = 0;
  for (int i = 0; i < times; ++i) {
    for (const char* ending : {"", "-wal", "-shm"}) fs::remove(out + ending);
    const pid_t child = fork();
    if (child == 0) {
      const int null = open("/dev/null", O_RDWR);
      for (const int fd : {0, 1, 2}) dup2(null, fd);
      const std::string set = "platform=" + platform;
      execl(VTAX_BINARY, "vtax", "run", "first-look", "--machine", "host", "--set", set.c_str(), "--set",
            "workload=tcp-rr", "--out", out.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 4000));
    kill(child, SIGKILL);
    left += report_left(before);
  }
  for (const char* ending : {"", "-wal", "-shm"}) fs::remove(out + ending);
  fmt::print("{}: {} runs killed; left behind: {}\n", platform, times, left);
  std::fflush(stdout);
  return left;
}

int run(int containers, int guests, int kills) {
  take_in_orphans();
  auto cache = lab::PackageCache::open();
  if (!cache) return fmt::print("{}\n", cache.error().text()), 1;
  std::map<std::string, host::GuestParts> parts;
  int left = make_many("container", containers, parts);
  for (const std::string platform : {"uml", "qemu"}) {
    auto made = host::prepare_guest(platform, *cache, [](std::string_view) {});
    if (!made) return fmt::print("{}\n", made.error().text()), 1;
    parts.emplace(platform, std::move(*made));
    left += make_many(platform, guests, parts);
  }
  const std::vector<std::string> platforms{"container", "uml", "qemu"};
  for (std::size_t i = 0; i < platforms.size(); ++i)
    left += kill_many(platforms[i], (kills + static_cast<int>(i)) / static_cast<int>(platforms.size()));
  return left == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also the guests' PID 1.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  const auto number = [&](int place, int fallback) {
    return argc > place ? std::atoi(argv[place]) : fallback;
  };
  return vtax::run(number(1, 1000), number(2, 50), number(3, 100));
}
