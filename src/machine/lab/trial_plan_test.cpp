// From a study's factors to what the lab's stations get: nothing is dropped on the way.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "machine/lab/lab_machine.h"
#include "machine/lab/plan_terms.h"
#include "machine/lab/trial_time.h"
#include "subject/boot_words.h"
#include "subject/factor_table.h"
#include "subject/workload_table.h"

namespace vtax::lab {
namespace {

using FactorMap = std::map<std::string, std::string>;

// What reaches them: the agent, the booted machine, the emulator.
struct Reached {
  nlohmann::json plan;
  MachineKind machine;
  ParallelTime time;
  std::string caches;
  bool schedule = false;
  std::string prices;

  bool operator==(const Reached&) const = default;
};

Reached reached_by(const FactorMap& factors) {
  Trial trial;
  trial.factors = factors;
  const auto spec = trial_spec_of(factors);
  EXPECT_TRUE(spec) << spec.error().text();
  const auto plan = plan_of(trial);
  EXPECT_TRUE(plan) << plan.error().text();
  return {nlohmann::json::parse(plan.value_or("{}")),
          machine_of(*spec),
          time_of(*spec),
          spec->caches,
          spec->schedule,
          spec->prices};
}

std::string another_value_of(const Factor& factor) {
  if (factor.type == FactorType::prices) return "kernel:1+program:1";
  for (const std::string_view choice : factor.choices)
    if (choice != factor.fallback) return std::string(choice);
  return std::to_string(factor.fallback == std::to_string(factor.low) ? factor.high : factor.low);
}

TEST(TrialPlan, EveryFactorOfTheLabReachesSomebody) {
  for (const Factor& factor : common_factors()) {
    if (!factor.meaning.in_lab) continue;
    const std::string name(factor.name);
    const FactorMap usual{{"platform", "xen-pv"}, {"workload", "tcp-rr"}};
    FactorMap other = usual;
    other[name] = name == "platform" ? "kvm" : another_value_of(factor);
    EXPECT_NE(reached_by(usual), reached_by(other)) << name;
    if (factor.readers.boot && name != "topology") {
      EXPECT_NE(reached_by(usual).machine, reached_by(other).machine) << name;
    }
    if (factor.readers.plan) {
      EXPECT_NE(reached_by(usual).plan, reached_by(other).plan) << name;
    }
  }
  for (const WorkloadKind& workload : workloads()) {
    const FactorMap usual{{"workload", std::string(workload.name)}};
    for (const Factor& factor : workload.factors) {
      FactorMap other = usual;
      other[std::string(factor.name)] = another_value_of(factor);
      EXPECT_NE(reached_by(usual).plan, reached_by(other).plan) << workload.name << " " << factor.name;
    }
  }
}

TEST(TrialPlan, OfJoinedMachinesHasAPlanForEach) {
  Trial trial;
  trial.factors = {{"platform", "xen-pv"}, {"topology", "joined"}, {"workload", "tcp-rr"},
                   {"direction", "send"},  {"guests", "2"},        {"link_us", "7"},
                   {"cpu_mips", "700"},    {"offloads", "off"}};
  const auto plan = plan_of(trial);
  ASSERT_TRUE(plan) << plan.error().text();
  const auto joined = joined_plan_of(*plan);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->latency, std::chrono::microseconds(7));
  EXPECT_TRUE(joined->has_peer);
  ASSERT_EQ(joined->others.size(), 1U);
  const auto peer = nlohmann::json::parse(joined->others.front());
  EXPECT_EQ(peer.at("workload"), "peer");
  EXPECT_EQ(peer.at("platform"), "native");
  for (const char* shared : {"guests", "offloads", "time_limit_ns"})
    EXPECT_EQ(peer.at(shared), nlohmann::json::parse(*plan).at(shared)) << shared;
  EXPECT_EQ(PlanTerms::of(joined->others.front()).time, PlanTerms::of(*plan).time);  // both clocks go as fast

  const auto spec = trial_spec_of(trial.factors);
  ASSERT_TRUE(peer_machine_of(*spec));
  EXPECT_EQ(peer_machine_of(*spec)->image, PlatformId::native);
  trial.factors["topology"] = "card";
  EXPECT_FALSE(joined_plan_of(plan_of(trial).value_or("")));
  EXPECT_FALSE(peer_machine_of(*trial_spec_of(trial.factors)));
}

TEST(TrialPlan, OfMachinesThatAllAskOneDiffersByTheirSeats) {
  Trial trial;
  trial.factors = {{"platform", "xen-pv"}, {"topology", "inside"}, {"workload", "tcp-rr"},
                   {"direction", "send"},  {"guests", "2"},        {"machines", "4"},
                   {"link_us", "7"},       {"own_guests", "rest"}};
  const auto plan = plan_of(trial);
  ASSERT_TRUE(plan) << plan.error().text();
  const auto joined = joined_plan_of(*plan);
  ASSERT_TRUE(joined);
  EXPECT_FALSE(joined->has_peer);
  EXPECT_EQ(joined->latency, std::chrono::microseconds(7));
  ASSERT_EQ(joined->others.size(), 3U);
  for (int seat = 1; seat <= 3; ++seat) {
    auto other = nlohmann::json::parse(joined->others[static_cast<std::size_t>(seat - 1)]);
    EXPECT_EQ(other.at("seat"), seat);
    other.erase("seat");
    EXPECT_EQ(other, nlohmann::json::parse(*plan));
  }
  EXPECT_FALSE(peer_machine_of(*trial_spec_of(trial.factors)));
}

TEST(TrialPlan, CardsOfJoinedMachinesCross) {
  MachineSpec spec;
  const auto cards_of = [&spec] {
    std::string out;
    for (const std::string& argument : machine_arguments(spec))
      if (argument.starts_with("e1000e,")) out += argument.substr(7, argument.find(",addr") - 7) + " ";
    return out;
  };
  EXPECT_EQ(cards_of(), "netdev=wire0,mac=52:54:00:00:00:0a netdev=wire1,mac=52:54:00:00:00:0b ");
  spec.joint = JointEnd{3, {4, 5}, 0, 2, false, std::chrono::microseconds(20)};
  EXPECT_EQ(cards_of(), "netdev=network0,mac=52:54:00:00:00:0a netdev=network1,mac=52:54:00:00:00:0b ");
  EXPECT_EQ(spec.joint->variable(), "VTAX_LINK=3:0:2:20000:4:5");
  spec.joint->is_peers = true;
  EXPECT_EQ(cards_of(), "netdev=network1,mac=52:54:00:00:00:0a netdev=network0,mac=52:54:00:00:00:0b ");
}

TEST(TrialPlan, CardsAreOfTheKindThatTheKernelDrives) {
  LabImage image;
  const auto cards_of = [&image] {
    std::vector<std::string> out;
    for (const std::string& argument : machine_arguments(spec_of(image, {})))
      if (argument.find(",mac=") != std::string::npos) out.push_back(argument);
    return out;
  };
  EXPECT_EQ(cards_of().front(), "e1000e,netdev=wire0,mac=52:54:00:00:00:0a,addr=4,romfile=");
  image.card = *find_lab_card("virtio-net-pci");
  EXPECT_EQ(cards_of(),
            (std::vector<std::string>{"virtio-net-pci,netdev=wire0,mac=52:54:00:00:00:0a,addr=4,romfile=,"
                                      "tx=timer,x-txtimer=2000,ioeventfd=off",
                                      "virtio-net-pci,netdev=wire1,mac=52:54:00:00:00:0b,addr=6,romfile=,"
                                      "tx=timer,x-txtimer=2000,ioeventfd=off"}));
}

TEST(TrialPlan, FunctionsAreThoseOfAMachineWhoseCardHasSome) {
  Trial trial;
  trial.factors = {{"workload", "tcp-rr"}, {"platform", "xen-pv"}, {"forwarding", "vf"}};
  EXPECT_TRUE(machine_of(trial.factors)->shape.virtual_functions);
  trial.factors["forwarding"] = "bridge";
  EXPECT_FALSE(machine_of(trial.factors)->shape.virtual_functions);
  MachineSpec spec;
  const auto has = [&spec](std::string_view what) {
    const auto arguments = machine_arguments(spec);
    return std::any_of(arguments.begin(), arguments.end(),
                       [what](const std::string& argument) { return argument.starts_with(what); });
  };
  EXPECT_FALSE(has("igb,") || has("intel-iommu"));
  spec.virtual_functions = spec.iommu = true;
  EXPECT_TRUE(has("igb,netdev=wire0,mac=52:54:00:00:00:0a") && has("intel-iommu"));
  EXPECT_TRUE(has("e1000e,netdev=wire1,mac=52:54:00:00:00:0b"));  // the peer's stays what it is
}

TEST(TrialPlan, AFactorThatNobodyKnowsIsAnError) {
  Trial trial;
  trial.factors = {{"workload", "tcp-rr"}, {"links", "2"}};
  const auto plan = plan_of(trial);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().why.find("'links'"), std::string::npos);
  EXPECT_FALSE(machine_of(trial.factors));
}

TEST(TrialPlan, CpusOfGuestsAreCpusOfTheMachine) {
  MachineShape shape;
  shape.guests = 2;
  shape.guest_cpus = 3;
  LabImage image;
  image.kind = PlatformId::xen_pv;
  const MachineSpec spec = spec_of(image, {}, shape), usual = spec_of(image, {});
  EXPECT_EQ(usual.cpus, 3);
  EXPECT_EQ(spec.cpus, 2 + 2 * 3);
  EXPECT_NE(spec.kernel_arguments.find(" vtax.guest_cpus=3"), std::string::npos);
  EXPECT_EQ(usual.kernel_arguments.find("vtax.guest_cpus"), std::string::npos);
  EXPECT_EQ(machine_of(*trial_spec_of({{"platform", "native"}, {"guest_cpus", "4"}})).shape.guest_cpus, 1);
}

TEST(TrialPlan, GuestsHaveTheMemoryThatTheirProgramsFilesNeed) {
  MachineShape shape;
  LabImage image;
  image.kind = PlatformId::xen_pv;
  const auto memory = [&] {
    return shape_from_words(spec_of(image, {}, shape).kernel_arguments).value().guest_memory_mib;
  };
  EXPECT_EQ(memory(), 192);
  shape.packages = "redis-server";
  image.program_memory_bytes = 44 << 20;
  EXPECT_EQ(memory(), 256);
  image.program_memory_bytes = 81 << 20;
  const int machine = spec_of(image, {}, shape).memory_mib;
  EXPECT_EQ(memory(), 448);
  shape.guest_memory_mib = 512;  // who asks for more has it
  EXPECT_EQ(memory(), 512);
  EXPECT_EQ(spec_of(image, {}, shape).memory_mib, machine + 64);
}

TEST(TrialPlan, MemoryFollowsTheFilesOfLargePrograms) {
  MachineShape shape;
  shape.packages = "node";
  LabImage image;
  const auto spec = [&](PlatformId kind, std::uint64_t files, std::uint64_t packed) {
    image.kind = kind;
    image.program_memory_bytes = files * kMiB;
    image.packed_bytes = packed * kMiB;
    image.xen_command_line = "dom0_mem=576M";
    return spec_of(image, {}, shape);
  };
  const auto guest_of = [](const MachineSpec& machine) {
    return shape_from_words(machine.kernel_arguments).value().guest_memory_mib;
  };
  EXPECT_EQ(spec(PlatformId::native, 64, 64).memory_mib, MachineSpec().memory_mib);
  EXPECT_EQ(spec(PlatformId::kvm, 64, 64).memory_mib, MachineSpec().memory_mib + 64);
  EXPECT_EQ(spec(PlatformId::xen_pv, 64, 64).xen_arguments, "dom0_mem=832M");
  for (const std::uint64_t files : std::vector<std::uint64_t>{96, 200, 512})
    for (const std::uint64_t packed : {files / 3, files}) {
      // Half of what is left beside the packed files, and of a kernel's own some 64 MiB.
      const auto has_room = [&](int memory, std::uint64_t own, std::uint64_t handed) {
        return (static_cast<std::uint64_t>(memory) - 64 - handed) / 2 >= own;
      };
      const MachineSpec native = spec(PlatformId::native, files, packed);
      EXPECT_TRUE(has_room(native.memory_mib, files, packed)) << files;
      const MachineSpec xen = spec(PlatformId::xen_pv, files, packed);
      const int dom0 = std::stoi(xen.xen_arguments.substr(std::string("dom0_mem=").size()));
      EXPECT_TRUE(has_room(dom0, files + packed, 2 * packed)) << files;
      EXPECT_TRUE(has_room(guest_of(xen), files, packed)) << files;
      // Xen's own, and the guest's, are beside Domain-0's.
      EXPECT_GE(xen.memory_mib - dom0 - guest_of(xen), 1024 - 576 - 192) << files;
      const MachineSpec kvm = spec(PlatformId::kvm, files, packed);
      EXPECT_TRUE(has_room(kvm.memory_mib - guest_of(kvm), files + packed, 2 * packed)) << files;
    }
}

TEST(TrialPlan, ArgumentsStandOnTheCommandLineOfWhomTheyAreFor) {
  MachineShape shape;
  shape.kernel_args = "mitigations=off";
  shape.guest_args = "nosmt idle=poll";
  shape.xen_args = "spec-ctrl=no";
  LabImage image;
  image.kind = PlatformId::xen_pv;
  const MachineSpec spec = spec_of(image, {}, shape), usual = spec_of(image, {});
  EXPECT_EQ(spec.xen_arguments, usual.xen_arguments + " spec-ctrl=no");
  EXPECT_NE(spec.kernel_arguments.find(" mitigations=off"), std::string::npos);
  EXPECT_EQ(spec.kernel_arguments.find("idle=poll "), std::string::npos);
  const auto told = shape_from_words(spec.kernel_arguments);
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_EQ(told->guest_args, "nosmt idle=poll");
  // Natively there is neither.
  const auto native = machine_of(*trial_spec_of({{"platform", "native"},
                                                 {"guest_args", "nosmt"},
                                                 {"xen_args", "x"},
                                                 {"kernel_args", "y"},
                                                 {"guest_kernel", "debian-13"}}));
  EXPECT_EQ(native.shape.guest_kernel, "same");
  EXPECT_EQ(native.shape.guest_args + native.shape.xen_args, "");
  EXPECT_EQ(native.shape.kernel_args, "y");
}

}  // namespace
}  // namespace vtax::lab
