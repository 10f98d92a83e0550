// Boots machines at load, several at once, and says how many came up: what died of the emulator is rare, and
// its words are wanted.
//
//   boots KIND BOOTS AT_ONCE [CACHE]
//
// KIND: native, xen-pv, ... (`vtax lab boot`). Each round of AT_ONCE boots has an empty cache, in which it
// builds its images side by side; the packages are hard links to those of CACHE (default: vtax's own), which
// must be on the same file system as the working directory. Ends with 1 if a boot died.

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/must.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/package_cache.h"

namespace {

namespace fs = std::filesystem;
using namespace vtax;
using namespace vtax::lab;
using Clock = std::chrono::steady_clock;

std::mutex printing;

void say(const std::string& text) {
  const std::lock_guard guard(printing);
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

struct Tally {
  std::atomic<int> booted{0}, deaths{0}, failed{0};
};

Result<> boot(PlatformId kind, const fs::path& cache_folder, const fs::path& store_folder,
              const TellStep& progress) {
  auto cache = PackageCache::open(cache_folder);
  if (!cache) return fail(cache.error());
  auto qemu = find_qemu(*cache);
  if (!qemu) return fail(qemu.error());
  Sources sources;
  sources.agent = VTAX_BINARY;
  auto image = build_lab_image(kind, sources, *cache, Apt(), progress);
  if (!image) return fail(image.error());
  auto machine = LabMachine::prepare(std::move(*image), VTAX_BINARY, std::move(*qemu), {});
  if (!machine) return fail(machine.error());
  SnapshotStore store(store_folder);
  return (*machine)->boot(store, progress);
}

void boot_one(PlatformId kind, const fs::path& round, int number, Tally& tally) {
  const auto begun = Clock::now();
  const auto done =
      boot(kind, round / "cache", round / fmt::format("machines-{}", number), [&](std::string_view step) {
        if (step.find(" died, ") == std::string_view::npos) return;
        ++tally.deaths;
        say(fmt::format("boot {}: {}", number, step));
      });
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  ++(done ? tally.booted : tally.failed);
  say(done ? fmt::format("boot {}: up after {:.1f} s", number, seconds)
           : fmt::format("boot {}: failed after {:.1f} s: {}", number, seconds, done.error().text()));
}

void link_packages(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  fs::copy(
      from / "packages", to / "packages",
      fs::copy_options::recursive | fs::copy_options::create_hard_links | fs::copy_options::copy_symlinks);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    fmt::print(stderr, "usage: boots KIND BOOTS AT_ONCE [CACHE]\n");
    return 2;
  }
  const auto kind = platform_named(argv[1]);
  const int boots = std::atoi(argv[2]), at_once = std::atoi(argv[3]);
  if (!kind || boots < 1 || at_once < 1 || at_once > 64) {
    fmt::print(stderr, "boots: {} is no kind of machine, or a number is wrong\n", argv[1]);
    return 2;
  }
  const fs::path cache = argc > 4 ? fs::path(argv[4]) : must(PackageCache::open()).directory();
  const fs::path folder = fs::absolute(fmt::format("boots-{}", getpid()));
  Tally tally;
  for (int begun = 0; begun < boots; begun += at_once) {
    const fs::path round = folder / std::to_string(begun);
    link_packages(cache, round / "cache");
    std::vector<std::jthread> threads;
    for (int i = begun; i < std::min(begun + at_once, boots); ++i)
      threads.emplace_back([&, i] { boot_one(*kind, round, i + 1, tally); });
    threads.clear();
    fs::remove_all(round);
  }
  fs::remove_all(folder);
  fmt::print("{}: {} of {} up, {} at once; the emulator died {} times, boots that failed: {}\n", argv[1],
             tally.booted.load(), boots, at_once, tally.deaths.load(), tally.failed.load());
  return tally.deaths > 0 || tally.failed > 0 ? 1 : 0;
}
