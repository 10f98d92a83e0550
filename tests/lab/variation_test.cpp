// What `vtax run --vary layout` boots: machines in which everything lies elsewhere, and which count again the
// same.

#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

Trial small_exchange(PlatformId kind) {
  Trial trial;
  trial.factors = {{"platform", std::string(name_of(kind))},
                   {"topology", "card"},
                   {"workload", "tcp-rr"},
                   {"direction", "receive"},
                   {"offloads", "off"},
                   {"transactions", "50"},
                   {"request_bytes", "1"},
                   {"response_bytes", "1"},
                   {"warmup_transactions", "10"}};
  return trial;
}

Trial exchange(const LabMachine& machine, PlatformId kind) {
  Trial trial = small_exchange(kind);
  const auto done = machine.run(trial, quiet);
  if (!done) ADD_FAILURE() << done.error().text();
  return trial;
}

class Perturbed : public testing::TestWithParam<PlatformId> {};

TEST_P(Perturbed, ALayoutIsAnotherMachineThatRepeatsItself) {
  NEED_LAB(GetParam());
  LabBench& bench = LabBench::get();
  auto machine = LabMachine::prepare(bench.image(GetParam()), bench.agent(), bench.qemu(), bench.probe());
  ASSERT_TRUE(machine) << machine.error().text();
  const int usual_mib = (*machine)->spec().memory_mib;
  (*machine)->perturb({.layout = 1});
  EXPECT_GT((*machine)->spec().memory_mib, usual_mib);
  const Folder folder;
  SnapshotStore store(folder.path());
  const auto booted = (*machine)->boot(store, quiet);
  ASSERT_TRUE(booted) << booted.error().text();
  const Trial one = exchange(**machine, GetParam()), again = exchange(**machine, GetParam());
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_EQ(one.work.transactions, Transactions(50));
  const Trial usual = bench.measured(small_exchange(GetParam()).factors);
  EXPECT_NE(one.digest, usual.digest);
  // An accident of layout, not another amount of work.
  const auto total = [](const Trial& trial) { return static_cast<double>(trial.machine_total.value); };
  EXPECT_NEAR(total(one) / total(usual), 1, 0.1);
}

INSTANTIATE_TEST_SUITE_P(All, Perturbed, testing::Values(PlatformId::native, PlatformId::xen_pv),
                         [](const auto& tested) { return test_name(tested.param); });

}  // namespace
}  // namespace vtax::lab
