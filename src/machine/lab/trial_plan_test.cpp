// From a study's factors to what the lab's stations get: nothing is dropped on the way.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "machine/lab/lab_machine.h"
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
  const auto native = machine_of(*trial_spec_of(
      {{"platform", "native"}, {"guest_args", "nosmt"}, {"xen_args", "x"}, {"kernel_args", "y"}}));
  EXPECT_EQ(native.shape.guest_args + native.shape.xen_args, "");
  EXPECT_EQ(native.shape.kernel_args, "y");
}

}  // namespace
}  // namespace vtax::lab
