#include "simulate/event_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "simulate/random.h"

namespace vtax::simulate {
namespace {

class Notes final : public Receiver {
 public:
  void on_event(std::uint64_t word) override { words.push_back(word); }
  std::vector<std::uint64_t> words;
};

TEST(EventLoop, KeepsTimeAndThenTheOrderOfAsking) {
  EventLoop loop;
  Notes notes;
  Random random(7);
  std::vector<std::pair<Ns, std::uint64_t>> asked;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const Ns time = static_cast<Ns>(random.next() % 300);  // many at the same time
    asked.emplace_back(time, i);
    loop.at(time, notes, i);
  }
  std::sort(asked.begin(), asked.end());
  while (loop.step()) {
  }
  ASSERT_EQ(notes.words.size(), asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) ASSERT_EQ(notes.words[i], asked[i].second) << i;
  EXPECT_EQ(loop.now(), asked.back().first);
  EXPECT_EQ(loop.handled(), 5000U);
}

TEST(EventLoop, StopsWhereItIsTold) {
  EventLoop loop;
  Notes notes;
  for (const Ns time : {10, 20, 30}) loop.at(time, notes, static_cast<std::uint64_t>(time));
  loop.run_until(20);
  EXPECT_EQ(notes.words, (std::vector<std::uint64_t>{10, 20}));
  loop.run_until(25);
  EXPECT_EQ(loop.now(), 25);
  EXPECT_FALSE(loop.empty());
}

// The reference generator's first numbers of the seed 1234567.
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL})
    EXPECT_EQ(random.next(), expected);
}

}  // namespace
}  // namespace vtax::simulate
