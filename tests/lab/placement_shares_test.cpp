// How systems share the work, a CPU and the memory.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "tests/lab/placed.h"

namespace vtax::lab {
namespace {

TEST(Loads, AreUnlikeAsAsked) {
  NEED_LAB(PlatformId::native);
  const Trial halving = run(small({{"platform", "native"}, {"guests", "4"}, {"loads", "halving"}}));
  ASSERT_EQ(halving.guests.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(halving.guests[i].bytes.value, 262144U >> i);
}

TEST(Softload, TakesItsShareAndIsAFunctionOfItsOwn) {
  NEED_LAB(PlatformId::native);
  const Trial without = run(small({{"platform", "native"}, {"link_mbps", "10"}}));
  const Trial with = run(small({{"platform", "native"}, {"link_mbps", "10"}, {"softload_percent", "50"}}));
  ASSERT_GT(without.window_virtual_ns, 0U);
  // At 2 ns an instruction; the link is slow, so that the machine is idle but for the softload.
  const double executed = 2.0 * static_cast<double>(cost_of(with, "host", "vtax::spin"));
  EXPECT_NEAR(executed / static_cast<double>(with.window_virtual_ns), 0.5, 0.05);
  EXPECT_EQ(cost_of(without, "host", "vtax::spin"), 0U);
}

// Of two guests that loop on one CPU the first one's share while both of them run: half of the work is its
// own, and it had what it needed when it ended.
double share_of_first(const char* scheduler, const char* weights) {
  const Trial trial = run(looping({{"guests", "2"},
                                   {"guest_cpu", "together"},
                                   {"scheduler", scheduler},
                                   {"guest_weights", weights},
                                   {"iterations", "50000000"}}));
  return static_cast<double>(trial.window_virtual_ns) / 2 /
         static_cast<double>(trial.guests.front().virtual_ns);
}

TEST(PlacementOfWeights, ShareACpuAsTheySay) {
  NEED_LAB(PlatformId::xen_pv);
  EXPECT_NEAR(share_of_first("credit2", "equal"), 0.5, 0.01);
  EXPECT_NEAR(share_of_first("credit2", "halving"), 2.0 / 3, 0.01);
}

// Xen's credit gives out the credits of all CPUs of the machine, each guest at most what its own CPUs can
// use: two guests on one CPU beside idle ones are never short of credits, and take turns whatever their
// weights (docs/design/placements.md).
TEST(PlacementOfWeights, MeanNothingToCreditBesideIdleCpus) {
  NEED_LAB(PlatformId::xen_pv);
  EXPECT_NEAR(share_of_first("credit", "halving"), 0.5, 0.01);
}

TEST(PlacementOfLoops, TakeAsLongOnTwoCpusAsOneAloneAndTwiceAsLongOnOne) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial own = run(looping({{"guests", "2"}, {"guest_cpu", "own"}})),
              together = run(looping({{"guests", "2"}, {"guest_cpu", "together"}}));
  // At 2 ns an instruction.
  const double alone_ns =
      2.0 * static_cast<double>(instructions(own, "guest1", {Layer::kernel, Layer::program}));
  EXPECT_NEAR(static_cast<double>(own.window_virtual_ns) / alone_ns, 1, 0.03);
  EXPECT_NEAR(static_cast<double>(together.window_virtual_ns) / static_cast<double>(own.window_virtual_ns), 2,
              0.06);
}

// Two that loop on one CPU: one after the other without a break, as long as their counts say, and the same in
// a rerun.
TEST(PlacementOfLoops, LeaveASchedule) {
  NEED_LAB(PlatformId::xen_pv);
  const Trial asked =
      looping({{"guests", "2"}, {"guest_cpu", "together"}, {"iterations", "20000000"}, {"schedule", "on"}});
  const Trial first = run(asked);
  EXPECT_EQ(first.schedule, run_anew(asked).schedule);
  ASSERT_FALSE(first.schedule.empty());
  EXPECT_EQ(first.schedule.left_out, 0U);
  constexpr int kGuestsCpu = 2;
  std::map<std::string, std::uint64_t> ns;
  std::uint64_t now = 0;
  int switches = 0;
  for (const Schedule::Stay& stay : first.schedule.stays) {
    if (stay.cpu != kGuestsCpu) continue;
    EXPECT_EQ(stay.begin_ns, now);
    now = stay.end_ns;
    ns[first.schedule.vcpus[stay.vcpu].domain] += stay.end_ns - stay.begin_ns;
    ++switches;
  }
  EXPECT_NEAR(static_cast<double>(now), static_cast<double>(first.window_virtual_ns), 5e3);
  EXPECT_GT(switches, 10);
  for (const Busy& busy : first.busy)
    if (busy.cpu == kGuestsCpu && busy.domain != "idle") {
      EXPECT_NEAR(static_cast<double>(ns[busy.domain]), static_cast<double>(busy.ns),
                  1e-3 * static_cast<double>(now) + 5e3)
          << busy.domain;
    }
}

// credit looks every 30 ms whether a guest has had its part: its windows are longer.
TEST(PlacementOfCaps, HoldAGuestToItsPart) {
  NEED_LAB(PlatformId::xen_pv);
  for (const auto& [scheduler, iterations] :
       {std::pair{"credit2", "50000000"}, std::pair{"credit", "100000000"}}) {
    const auto window_ns = [scheduler = scheduler, iterations = iterations](const char* cap) {
      return static_cast<double>(
          run(looping({{"scheduler", scheduler}, {"guest_cap_percent", cap}, {"iterations", iterations}}))
              .window_virtual_ns);
    };
    const double free_ns = window_ns("0");
    for (const int cap : {25, 75})
      EXPECT_NEAR(free_ns / window_ns(std::to_string(cap).c_str()), cap / 100.0, 0.01)
          << scheduler << ' ' << cap;
  }
}

TEST(PlacementOfMemory, IsWhatTheGuestFinds) {
  NEED_LAB(PlatformId::xen_pv);
  const auto held_mib = [](const char* balloon) {
    Trial trial = looping({{"balloon_mib", balloon}});
    trial.factors["iterations"] = "1000";
    const auto plan = plan_of(trial);
    const auto seen = LabBench::get().machine(PlatformId::xen_pv).observe(plan.value(), quiet);
    if (!seen) {
      ADD_FAILURE() << seen.error().text();
      return 0.0;
    }
    return nlohmann::json::parse(seen->answer).at("guest_memory_kib").at(0).get<double>() / 1024;
  };
  EXPECT_NEAR(held_mib("0"), 192, 2);
  EXPECT_NEAR(held_mib("128"), 128, 2);
}

TEST(Scheduler, ThatXenDoesNotHaveIsRefusedBeforeItBoots) {
  NEED_LAB(PlatformId::xen_pv);
  LabBench& bench = LabBench::get();
  // A Xen that never heard of it.
  LabImage image = bench.image(PlatformId::xen_pv);
  auto xen = read_file(*image.xen).value();
  constexpr std::string_view kItsName = "SMP RTDS Scheduler";
  const auto at = std::search(xen.begin(), xen.end(), kItsName.begin(), kItsName.end());
  if (at != xen.end()) *at = 'X';  // Debian 12's was built without it
  const Folder folder;
  image.xen = folder.path() / "xen";
  ASSERT_TRUE(write_file(*image.xen, xen));
  MachineShape shape;
  shape.scheduler = Scheduler::rtds;
  const auto machine =
      LabMachine::prepare(std::move(image), bench.agent(), bench.qemu(), bench.probe(), shape);
  ASSERT_FALSE(machine);
  EXPECT_NE(machine.error().text().find("built without it"), std::string::npos) << machine.error().text();
}

}  // namespace
}  // namespace vtax::lab
