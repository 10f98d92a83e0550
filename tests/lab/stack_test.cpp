// What boots: another release's kernel and hypervisor, and arguments of the user's.

#include <gmock/gmock.h>

#include "core/files.h"
#include "machine/parts/release_apt.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;
using testing::Not;
using FactorTexts = std::map<std::string, std::string>;

FactorTexts exchange(PlatformId kind, const FactorTexts& more) {
  FactorTexts factors{{"platform", std::string(name_of(kind))},
                      {"workload", "tcp-rr"},
                      {"topology", "inside"},
                      {"transactions", "50"}};
  factors.insert(more.begin(), more.end());
  return factors;
}

Trial trial_with(PlatformId kind, const FactorTexts& more) {
  Trial trial;
  trial.factors = exchange(kind, more);
  const auto machine = machine_of(trial.factors);
  if (!machine) {
    trial.error = machine.error().text();
    return trial;
  }
  const LabMachine& lab = LabBench::get().machine(machine->image, machine->shape);
  if (const auto done = lab.run(trial, [](std::string_view) {}); !done) trial.error = done.error().text();
  return trial;
}

class AnotherRelease : public testing::TestWithParam<PlatformId> {
 protected:
  void SetUp() override {
    NEED_LAB(GetParam());
    if (own_release() == nullptr) GTEST_SKIP() << "this computer is no Debian";
    release_ = own_release()->stack == "debian-12" ? "debian-13" : "debian-12";
    const auto cache = PackageCache::open();
    for (const char* set : {".kernel", ".xen"})
      if (!cache || !cache->find(release_ + set))
        GTEST_SKIP() << "another release has not been fetched, which its archive may refuse: --stack "
                     << release_;
  }
  std::string release_;
};

TEST_P(AnotherRelease, BootsItsOwnKernelAndIsCountedTheSameInARerun) {
  const Trial one = trial_with(GetParam(), {{"stack", release_}}),
              again = trial_with(GetParam(), {{"stack", release_}}), usual = trial_with(GetParam(), {});
  ASSERT_EQ(one.error, "");
  ASSERT_EQ(usual.error, "");
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_NE(one.digest, usual.digest);
  const char* kernel = release_ == "debian-13" ? "linux-image-6.12." : "linux-image-6.1.";
  EXPECT_THAT(one.provenance, HasSubstr(kernel));
  EXPECT_THAT(usual.provenance, Not(HasSubstr(kernel)));
}

INSTANTIATE_TEST_SUITE_P(All, AnotherRelease, testing::Values(PlatformId::native, PlatformId::xen_pv),
                         [](const auto& tested) { return test_name(tested.param); });

// A kernel that checks each object that it allocates and frees executes far more for each exchange.
TEST(Arguments, ReachTheKernelThatTheyAreFor) {
  NEED_LAB(PlatformId::native);
  const Trial usual = trial_with(PlatformId::native, {}),
              checking = trial_with(PlatformId::native, {{"kernel_args", "slub_debug=FZPU"}}),
              again = trial_with(PlatformId::native, {{"kernel_args", "slub_debug=FZPU"}});
  ASSERT_EQ(usual.error, "");
  ASSERT_EQ(checking.error, "");
  EXPECT_GT(static_cast<double>(checking.machine_total.value),
            1.1 * static_cast<double>(usual.machine_total.value));
  EXPECT_EQ(checking.digest, again.digest);
}

}  // namespace
}  // namespace vtax::lab
