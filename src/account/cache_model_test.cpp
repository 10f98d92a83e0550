#include "probe/cache_model.h"

#include <gtest/gtest.h>

namespace vtax::probe {
namespace {

// 4 KiB of L1, 16 KiB of L2, 64 KiB of L3, lines of 64 bytes.
CacheModel small_model(int cpus = 1) {
  CacheModel model;
  model.start({64, {4096, 4}, {4096, 4}, {16384, 8}, {65536, 16}});
  for (int i = 0; i < cpus; ++i) model.add_cpu();
  return model;
}

struct Sum {
  std::uint64_t l1 = 0, l2 = 0, l3 = 0;
  void operator+=(const CacheMisses& one) {
    l1 += one.l1 ? 1 : 0;
    l2 += one.l2 ? 1 : 0;
    l3 += one.l3 ? 1 : 0;
  }
  bool operator==(const Sum&) const = default;
};

Sum sweep(CacheModel& model, std::uint64_t lines, int rounds, int cpu = 0, bool store = false) {
  Sum sum;
  for (int round = 0; round < rounds; ++round)
    for (std::uint64_t line = 0; line < lines; ++line) sum += model.data(cpu, line, line, store);
  return sum;
}

// LRU and a sweep: what fits is missed once, what does not is missed always.
TEST(CacheModel, ASweepMissesOnceOrAlways) {
  struct Case {
    std::uint64_t lines;
    Sum expected;  // of ten rounds
  };
  for (const Case& one : {Case{64, {64, 64, 64}}, Case{65, {65 + 9 * 5, 65, 65}}, Case{128, {1280, 128, 128}},
                          Case{512, {5120, 5120, 512}}, Case{2048, {20480, 20480, 20480}}}) {
    CacheModel model = small_model();
    EXPECT_EQ(sweep(model, one.lines, 10), one.expected) << one.lines;
  }
}

TEST(CacheModel, CodeAndDataShareTheL2Alone) {
  CacheModel model = small_model();
  EXPECT_TRUE(model.code(0, 7).l3);
  const CacheMisses data = model.data(0, 7, 7, false);
  EXPECT_TRUE(data.l1);
  EXPECT_FALSE(data.l2);
  EXPECT_FALSE(model.code(0, 7).l1);
}

TEST(CacheModel, AStoreTakesTheLineFromOtherCpus) {
  CacheModel model = small_model(2);
  for (const int cpu : {0, 1}) (void)model.data(cpu, 5, 5, false);
  EXPECT_FALSE(model.data(1, 5, 5, false).l1);
  EXPECT_FALSE(model.data(0, 5, 5, true).l1);  // it had it
  const CacheMisses back = model.data(1, 5, 5, false);
  EXPECT_TRUE(back.l1);
  EXPECT_TRUE(back.l2);
  EXPECT_FALSE(back.l3);  // the one that all share still has it
  // Read by another it is no longer the writer's own: the next store takes it again.
  EXPECT_FALSE(model.data(0, 5, 5, true).l1);
  EXPECT_TRUE(model.data(1, 5, 5, false).l1);
}

// The way around the model is taken only where the model would not change.
TEST(CacheModel, AgainIsOnlyTheNewestLineOfItsSet) {
  CacheModel model = small_model(2);
  (void)model.data(0, 3, 1027, false);  // another page, the same place in it
  EXPECT_TRUE(model.is_again(0, 3, false));
  EXPECT_FALSE(model.is_again(0, 3, true));  // not yet its own
  EXPECT_FALSE(model.is_again(1, 3, false));
  (void)model.data(0, 3, 1027, true);
  EXPECT_TRUE(model.is_again(0, 3, true));
  (void)model.data(1, 3, 1027, false);
  EXPECT_FALSE(model.is_again(0, 3, true));
  (void)model.data(0, 3, 1027, true);
  (void)model.data(0, 19, 19, false);  // the same set: 16 sets
  EXPECT_FALSE(model.is_again(0, 3, false));
  EXPECT_TRUE(model.is_again(0, 19, false));
  model.forget_addresses(0);
  EXPECT_FALSE(model.is_again(0, 19, false));
}

// A sweep with the way around it and one without miss alike.
TEST(CacheModel, TheWayAroundChangesNothing) {
  CacheModel with = small_model(), without = small_model();
  Sum a, b;
  std::uint64_t x = 88172645463325252ULL;
  for (int i = 0; i < 200000; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    const std::uint64_t line = x % 4 == 0 ? x / 4 % 3000 : x / 4 % 40;
    const bool store = x >> 60 == 0;
    if (!with.is_again(0, line, store)) a += with.data(0, line, line, store);
    b += without.data(0, line, line, store);
  }
  EXPECT_EQ(a, b);
  EXPECT_GT(a.l3, 0U);
}

}  // namespace
}  // namespace vtax::probe
