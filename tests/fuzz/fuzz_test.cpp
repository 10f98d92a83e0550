#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ctime>
#include <iostream>

#include "tests/fuzz/target.h"

// 100,000 hostile inputs, the same ones each time; bench/fuzz does the long run.
namespace vtax::fuzz {
namespace {

class Fuzz : public testing::TestWithParam<const Target*> {};

std::vector<const Target*> all_targets() {
  std::vector<const Target*> out;
  for (const Target& target : targets()) out.push_back(&target);
  return out;
}

std::uint64_t inputs_for(const Target& target) {
  constexpr double kAll = 100'000;
  double shares = 0;
  for (const Target& one : targets()) shares += 1.0 / one.cost;
  return static_cast<std::uint64_t>(kAll / shares / target.cost) + 1;
}

INSTANTIATE_TEST_SUITE_P(, Fuzz, testing::ValuesIn(all_targets()), [](const auto& of) {
  std::string name;
  for (const char c : of.param->name)
    if (c != '-') name += c;
  return name;
});

// An answer that cannot be, and a crash, end the program; a target says which input it was.
TEST_P(Fuzz, TakesOrRefusesEachInputInTime) {
  const Target& target = *GetParam();
  const auto seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  // Most of what is tried is to go wrong late.
  std::size_t good = 0;
  for (const std::string& one : seeds) good += target.try_one(one) ? 1U : 0U;
  EXPECT_GT(good, 0U) << "none of its seeds is taken";
  const std::uint64_t inputs = inputs_for(target);
  std::uint64_t taken = 0;
  double longest = 0;
  std::cout << target.name << std::flush;
  for (std::uint64_t number = 0; number < inputs; ++number) {
    const std::string input = input_of(target, seeds, 1, number);
    const std::clock_t before = std::clock();
    taken += target.try_one(input) ? 1U : 0U;
    const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    longest = std::max(longest, seconds);
    ASSERT_LT(seconds, 5) << "input " << number << " of seed 1";
  }
  std::cout << fmt::format(": {} inputs, {} taken, the longest {:.1f} ms\n", inputs, taken, longest * 1e3);
  EXPECT_LT(taken, inputs);  // they are hostile
}

}  // namespace
}  // namespace vtax::fuzz
