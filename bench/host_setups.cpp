// Makes and takes down the host's platforms, N times each, and kills `vtax run` at random moments; says how
// long a making takes and what is left. Needs what the platforms need (`vtax doctor`).
//   host_setups                              all of docs/benchmarks.md: container 1000, uml and qemu 50
//                                            set-ups each; 100 kills each of these and of native
//   host_setups PLATFORM [SETUPS [KILLS]]    one platform, so many
// Before and after, everything that could be left is listed: tests/host/traces.h. Exit code 1: something is.

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

int make_many(PlatformId platform, int times, const std::map<PlatformId, host::GuestParts>& guests) {
  if (times == 0) return 0;
  const auto before = traces();
  std::vector<double> seconds;
  for (int i = 0; i < times; ++i) {
    const auto took = host::make_and_take_down(platform, guests);
    if (!took) {
      fmt::print("{}: {}\n", name_of(platform), took.error().text());
      return 1;
    }
    seconds.push_back(std::chrono::duration<double>(took->all).count());
  }
  const int left = report_left(before);
  std::sort(seconds.begin(), seconds.end());
  fmt::print("{}: {} times, s: least {:.3f}, median {:.3f}, most {:.3f}; left behind: {}\n",
             name_of(platform), times, seconds.front(), seconds[seconds.size() / 2], seconds.back(), left);
  std::fflush(stdout);
  return left;
}

int kill_many(PlatformId platform, int times) {
  if (times == 0) return 0;
  const auto before = traces();
  const std::string out = fs::temp_directory_path().string() + ".run";  // beside the folder that is listed
  // Until some way into the second trial.
  const unsigned longest_ms = host::has_guest(platform) ? 12000 : 4000;
  std::mt19937 random(11);
  int left = 0;
  for (int i = 0; i < times; ++i) {
    for (const char* ending : {"", "-wal", "-shm"}) fs::remove(out + ending);
    const pid_t child = fork();
    if (child == 0) {
      const int null = open("/dev/null", O_RDWR);
      for (const int fd : {0, 1, 2}) dup2(null, fd);
      const std::string set = fmt::format("platform={}", name_of(platform));
      execl(VTAX_BINARY, "vtax", "run", "first-look", "--machine", "host", "--set", set.c_str(), "--set",
            "workload=tcp-rr", "--out", out.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % longest_ms));
    kill(child, SIGKILL);
    left += report_left(before);
  }
  for (const char* ending : {"", "-wal", "-shm"}) fs::remove(out + ending);
  fmt::print("{}: {} runs killed; left behind: {}\n", name_of(platform), times, left);
  std::fflush(stdout);
  return left;
}

struct Wanted {
  PlatformId platform = PlatformId::native;
  int setups = 0, kills = 0;
};

int in_own_folder(const std::vector<Wanted>& all) {
  take_in_orphans();
  auto cache = lab::PackageCache::open();
  if (!cache) return fmt::print("{}\n", cache.error().text()), 1;
  std::map<PlatformId, host::GuestParts> parts;
  int left = 0;
  for (const Wanted& wanted : all) {
    if (host::has_guest(wanted.platform)) {
      auto made = host::prepare_guest(wanted.platform, *cache, [](std::string_view) {});
      if (!made) return fmt::print("{}\n", made.error().text()), 1;
      parts.emplace(wanted.platform, std::move(*made));
    }
    left += make_many(wanted.platform, wanted.setups, parts);
    left += kill_many(wanted.platform, wanted.kills);
  }
  return left;
}

int run(const std::vector<Wanted>& all) {
  // What other programs leave in /tmp meanwhile is not ours.
  std::string temporary = (fs::temp_directory_path() / "host-setups-XXXXXX").string();
  if (mkdtemp(temporary.data()) == nullptr) return fmt::print("no temporary folder\n"), 1;
  setenv("TMPDIR", temporary.c_str(), 1);
  const int left = in_own_folder(all);
  fs::remove_all(temporary);
  return left == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also the guests' PID 1.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  const auto number = [&](int place) { return argc > place ? std::max(0, std::atoi(argv[place])) : 0; };
  const auto platform = vtax::platform_named(argc > 1 ? argv[1] : "native");
  if (!platform) return fmt::print("there is no platform {}\n", argv[1]), 2;
  if (argc > 1) return vtax::run({{*platform, argc > 2 ? number(2) : 50, argc > 3 ? number(3) : 100}});
  return vtax::run({{vtax::PlatformId::native, 0, 100},
                    {vtax::PlatformId::container, 1000, 100},
                    {vtax::PlatformId::uml, 50, 100},
                    {vtax::PlatformId::qemu, 50, 100}});
}
