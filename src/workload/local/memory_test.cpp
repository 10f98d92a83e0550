#include "workload/local/memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "workload/local/cache_size.h"
#include "workload/local/memory_kernels.h"

namespace vtax {
namespace {

TEST(Memory, ImpossibleOptionsAreUsageErrors) {
  for (const MemoryOptions& options :
       {MemoryOptions{1, 1, 10, Stores::regular},
        MemoryOptions{std::uint64_t{1} << 63, 1, 10, Stores::regular},
        MemoryOptions{0, 0, 10, Stores::regular},
        MemoryOptions{0, std::uint64_t{1} << 63, 10, Stores::regular},
        MemoryOptions{0, 1, 1, Stores::regular}, MemoryOptions{0, 1, ~std::uint64_t{0}, Stores::regular}}) {
    const auto done = run_memory(options);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ExitCode::usage);
    EXPECT_FALSE(done.error().next.empty());
  }
}

TEST(Memory, MoreThanThereIsIsRefusedBeforeItIsTouched) {
  const auto done = run_memory({std::uint64_t{1} << 40, 1, 2, Stores::regular});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::unavailable);
}

// The values neither overflow nor vanish.
TEST(Memory, AsManyRoundsAsMayBeAskedForAreRight) {
  const auto done = run_memory({4096, 1, 10'000, Stores::regular});
  EXPECT_TRUE(done) << done.error().text();
}

TEST(Memory, EveryKernelOfEveryCodeDoesTheArithmetic) {
  alignas(64) double x[24], y[24], to[24];
  for (int i = 0; i < 24; ++i) x[i] = i + 0.5, y[i] = 100 - i;
  for (const StreamCode& code : stream_codes()) {
    for (std::size_t k = 0; k < kStreamKernels; ++k) {
      std::fill_n(to, 24, -1.0);
      code.run[k](to, x, y, 3, 16);
      for (int i = 0; i < 16; ++i) {
        const double expected[] = {x[i], 3 * x[i], x[i] + y[i], x[i] + 3 * y[i]};
        EXPECT_EQ(to[i], expected[k]) << code.instructions << ' ' << kStreamNames[k] << ' ' << i;
      }
      EXPECT_EQ(to[16], -1.0);
    }
  }
}

TEST(Memory, CountsAsStreamDoesAndWarnsOfSmallArrays) {
  for (const Stores stores : {Stores::regular, Stores::nontemporal, Stores::automatic}) {
    for (const std::uint64_t threads : {1U, 3U}) {
      const auto done = run_memory({100'000, threads, 4, stores});
      ASSERT_TRUE(done) << done.error().text();
      const std::uint64_t bytes = done->details.at("array_bytes");
      EXPECT_EQ(bytes, 100'032U);  // whole lines
      EXPECT_EQ(done->bytes.value, 4 * 10 * bytes);
      EXPECT_EQ(done->metrics.at(0).name, "triad");
      for (const Metric& metric : done->metrics) EXPECT_GT(metric.value, 0);
      const auto& times = done->details.at("times").at("copy");
      EXPECT_LE(times.at("minimum_s"), times.at("average_s"));
      EXPECT_LE(times.at("average_s"), times.at("maximum_s"));
      EXPECT_EQ(done->details.at("warnings").size(), 1U);
    }
  }
}

struct Cache {
  int cpu, index;
  const char *level, *type, *sharers, *size;
};

std::optional<std::uint64_t> caches_of(const std::vector<Cache>& caches) {
  std::string name = testing::TempDir() + "caches-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return std::nullopt;
  for (const Cache& cache : caches) {
    const auto folder = std::filesystem::path(name) / ("cpu" + std::to_string(cache.cpu)) / "cache" /
                        ("index" + std::to_string(cache.index));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "level") << cache.level << '\n';
    std::ofstream(folder / "type") << cache.type << '\n';
    std::ofstream(folder / "shared_cpu_list") << cache.sharers << '\n';
    std::ofstream(folder / "size") << cache.size << '\n';
  }
  const auto found = last_level_cache(name);
  std::filesystem::remove_all(name);
  return found;
}

TEST(CacheSize, CountsASharedCacheOnceAndSeveralTogether) {
  EXPECT_EQ(caches_of({{0, 0, "1", "Data", "0", "32K"},
                       {0, 1, "3", "Unified", "0-1", "32768K"},
                       {1, 0, "1", "Data", "1", "32K"},
                       {1, 1, "3", "Unified", "0-1", "32768K"},
                       {2, 0, "3", "Unified", "2", "16M"}}),
            std::uint64_t{48} << 20);
}

TEST(CacheSize, NothingIsKnownOfAnEmptyOrDamagedTree) {
  EXPECT_EQ(caches_of({}), std::nullopt);
  EXPECT_EQ(caches_of({{0, 0, "1", "Data", "0", "many"}}), std::nullopt);
  EXPECT_EQ(caches_of({{0, 0, "1", "Instruction", "0", "32K"}}), std::nullopt);
}

}  // namespace
}  // namespace vtax
