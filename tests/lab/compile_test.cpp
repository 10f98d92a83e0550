// The workload `compile`: a real compiler in the systems under test. And the profiler of `sampling_hz`.

#include <algorithm>

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

// Needs more than NEED_LAB: the compiler's packages.
#define NEED_COMPILER(kind)                                                                  \
  NEED_LAB(kind);                                                                            \
  if (const auto cache = PackageCache::open(); !cache || !cache->find(PackageSet::compiler)) \
  GTEST_SKIP() << "the compiler's packages are not in the cache: `vtax lab fetch` puts them there"

std::uint64_t sum_of(const Trial& trial, std::string_view kind, std::string_view domain = "",
                     std::optional<Layer> layer = {}) {
  std::uint64_t sum = 0;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == kind && (domain.empty() || entry.domain == domain) && (!layer || entry.layer == *layer))
      sum += entry.value;
  return sum;
}

Trial trial_on(const LabMachine& machine, std::map<std::string, std::string> factors) {
  Trial trial;
  trial.factors = std::move(factors);
  trial.factors.insert({{"topology", "card"}, {"offloads", "off"}});
  const auto done = machine.run(trial, quiet);
  if (!done) ADD_FAILURE() << done.error().text();
  return trial;
}

std::map<std::string, std::string> compile(const std::string& compiles) {
  return {{"platform", "native"}, {"workload", "compile"}, {"source", "stb_perlin"}, {"compiles", compiles}};
}

TEST(Compile, IsTheSameWorkWhateverWorksBesideIt) {
  NEED_COMPILER(PlatformId::native);
  MachineShape shape;
  shape.compiler = true;
  const LabMachine& machine = LabBench::get().machine(PlatformId::native, shape);
  const Trial one = trial_on(machine, compile("1")), again = trial_on(machine, compile("1")),
              two = trial_on(machine, compile("2"));
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_EQ(one.work.transactions, Transactions(1));
  EXPECT_EQ(two.work.transactions, Transactions(2));
  const auto program = [](const Trial& trial) {
    return static_cast<double>(sum_of(trial, "instructions", "", Layer::program));
  };
  EXPECT_GT(program(one), 100e6) << "a compiler has worked";
  EXPECT_NEAR(program(two) / program(one), 2, 0.001);
  // The compiler lies where vtax lies in its own machine: its functions must not get vtax's names.
  EXPECT_TRUE(std::none_of(one.functions.begin(), one.functions.end(),
                           [](const FunctionCost& function) { return function.image == "vtax"; }));
}

std::map<std::string, std::string> loop(PlatformId kind, const std::string& hz) {
  return {{"platform", std::string(name_of(kind))},
          {"workload", "cpu-loop"},
          {"iterations", "20000000"},
          {"sampling_hz", hz}};
}

class Sampled : public testing::TestWithParam<PlatformId> {};

TEST_P(Sampled, EachSystemIsLookedAtAsOftenAsAsked) {
  NEED_LAB(GetParam());
  const LabMachine& machine = LabBench::get().machine(GetParam());
  const Trial quiet_one = trial_on(machine, loop(GetParam(), "0")),
              sampled = trial_on(machine, loop(GetParam(), "1000"));
  const std::string system = GetParam() == PlatformId::native ? "host" : "guest1";
  EXPECT_EQ(sum_of(quiet_one, "profile_samples"), 0U);
  // 240 million instructions at 2 ns are 480 ms.
  EXPECT_NEAR(static_cast<double>(sum_of(sampled, "profile_samples", system)),
              static_cast<double>(sampled.window_virtual_ns) * 1e-6, 5);
  if (GetParam() != PlatformId::native) {
    EXPECT_GT(sum_of(sampled, "profile_samples", "Domain-0"), 100U);
  }
  const auto cost = [&](const Trial& trial) { return sum_of(trial, "instructions", system); };
  EXPECT_GT(cost(sampled), cost(quiet_one) + 400 * 1000) << "a sample is an interrupt at least";
  EXPECT_EQ(sum_of(sampled, "instructions", system, Layer::program) / 1'000'000,
            sum_of(quiet_one, "instructions", system, Layer::program) / 1'000'000);
}

INSTANTIATE_TEST_SUITE_P(All, Sampled, testing::Values(PlatformId::native, PlatformId::xen_pv),
                         [](const auto& tested) { return test_name(tested.param); });

}  // namespace
}  // namespace vtax::lab
