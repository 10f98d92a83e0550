#include "study/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "study/catalogue.h"
#include "study/find_study.h"
#include "study/plan_shards.h"
#include "study/testing/first_look.h"

namespace vtax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Plan, IsTheCrossProductWithThePlatformSlowest) {
  const auto plan = make_plan(first_look(), {});
  ASSERT_TRUE(plan) << plan.error().text();
  // 3 platforms x 2 topologies x 2 offloads x (2 writes x 2 directions + 1).
  ASSERT_EQ(plan->trials.size(), 60U);
  EXPECT_EQ(count_trials(plan->study), 60.0);
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(plan->trials[i].index, i);
    EXPECT_EQ(plan->trials[i].factors.at("platform"), i < 20 ? "native" : i < 40 ? "container" : "xen-pv");
  }
  std::map<std::string, std::string> first{{"topology", "inside"},   {"workload", "tcp-stream"},
                                           {"bytes", "8388608"},     {"write_bytes", "1448"},
                                           {"direction", "receive"}, {"warmup_bytes", "1048576"}};
  for (const Factor& factor : common_factors())
    first.emplace(factor.name, factor.fallback);  // where the study names nothing else
  EXPECT_EQ(plan->trials[0].factors, first);
}

std::set<std::string> values_in(const Plan& plan, const std::string& workload, const std::string& factor) {
  std::set<std::string> values;
  for (const PlannedTrial& trial : plan.trials)
    if (trial.factors.at("workload") == workload) values.insert(trial.factors.at(factor));
  return values;
}

Plan plan_on_host(const Study& study, std::vector<std::string> set, bool is_quick = false) {
  Overrides overrides{std::move(set), {}};
  overrides.machine = "host";
  overrides.quick = is_quick;
  auto plan = make_plan(study, overrides);
  EXPECT_TRUE(plan) << plan.error().text();
  return plan.value_or(Plan());
}

TEST(HostPlan, WindowsLastASecondUnlessTheirWorkIsNamed) {
  const auto windows = [](const Plan& plan, const char* workload) {
    return values_in(plan, workload, "window_ms");
  };
  const Study study = first_look();
  const Plan usual = plan_on_host(study, {"platform=native"});
  EXPECT_THAT(windows(usual, "tcp-stream"), ElementsAre("1000"));
  EXPECT_THAT(windows(usual, "tcp-rr"), ElementsAre("1000"));
  const Plan named = plan_on_host(study, {"platform=native", "transactions=20,40"});
  EXPECT_THAT(windows(named, "tcp-stream"), ElementsAre("1000"));
  EXPECT_THAT(windows(named, "tcp-rr"), ElementsAre("0"));
  EXPECT_THAT(values_in(named, "tcp-rr", "transactions"), ElementsAre("20", "40"));
  EXPECT_THAT(windows(plan_on_host(study, {"platform=native", "window_ms=0"}), "tcp-rr"), ElementsAre("0"));
  EXPECT_THAT(windows(plan_on_host(study, {"platform=native", "window_ms=250", "bytes=1MiB"}), "tcp-stream"),
              ElementsAre("250"));
  EXPECT_THAT(windows(plan_on_host(study, {"platform=native"}, true), "tcp-rr"), ElementsAre("125"));
  EXPECT_THAT(windows(*make_plan(study, {}), "tcp-rr"), ElementsAre("0")) << "in the lab";
}

TEST(HostPlan, AStudyOfTheHostNamesItsOwnWork) {
  const auto host_study = [](const std::string& more) {
    auto study =
        parse_study("name = \"h\"\nmachine = \"host\"\n[[workload]]\nname = \"linpack\"\n" + more, "h");
    EXPECT_TRUE(study) << study.error().text();
    return *make_plan(*study, {});
  };
  EXPECT_THAT(values_in(host_study(""), "linpack", "window_ms"), ElementsAre("1000"));
  EXPECT_THAT(values_in(host_study("size = 50"), "linpack", "window_ms"), ElementsAre("1000"));
  EXPECT_THAT(values_in(host_study("systems = 20"), "linpack", "window_ms"), ElementsAre("0"));
  EXPECT_THAT(values_in(host_study("window_ms = 300"), "linpack", "window_ms"), ElementsAre("300"));
}

TEST(HostPlan, AmountsThatWereChosenForTheLabMakeOneCell) {
  auto study = parse_study("name = \"s\"\n[[workload]]\nname = \"tcp-rr\"\ntransactions = [100, 200]\n", "s");
  ASSERT_TRUE(study);
  const Plan one = plan_on_host(*study, {});
  EXPECT_THAT(values_in(one, "tcp-rr", "transactions"), ElementsAre("100"));
  EXPECT_THAT(one.notes,
              ElementsAre(HasSubstr("the study's 2 values of it are one (--set window_ms=0 keeps them)")));
  EXPECT_THAT(values_in(plan_on_host(*study, {"window_ms=300"}), "tcp-rr", "transactions"),
              ElementsAre("100"));
  EXPECT_THAT(values_in(plan_on_host(*study, {"window_ms=0"}), "tcp-rr", "transactions"),
              ElementsAre("100", "200"));
}

TEST(HostPlan, ADiskIsADisk) {
  const Study study = first_look();
  const Plan usual = plan_on_host(study, {"platform=native", "workload=disk"});
  EXPECT_THAT(values_in(usual, "disk", "store"), ElementsAre("tmpdir"));
  const Plan named = plan_on_host(study, {"platform=native", "workload=disk", "store=memory"});
  EXPECT_THAT(values_in(named, "disk", "store"), ElementsAre("memory"));
  EXPECT_THAT(values_in(*make_plan(study, {{"workload=disk"}, {}}), "disk", "store"), ElementsAre("memory"));
}

TEST(HostPlan, IsRepeatedAsMinutesAllow) {
  const Study study = find_study("first-look").value();
  EXPECT_EQ(plan_on_host(study, {"platform=native", "workload=tcp-rr"}).study.repetitions, 5);
  const Plan large =
      plan_on_host(study, {"platform=native,container", "write_bytes=64,128,256,512,1024,2048,4096,8192"});
  EXPECT_EQ(large.study.repetitions, 2);
  EXPECT_EQ(large.trials.size(), 2 * count_cells(large));
  Overrides named{{"platform=native"}, 3};
  named.machine = "host";
  EXPECT_EQ(make_plan(study, named)->study.repetitions, 3);
}

TEST(Plan, ABlockMayHaveCommonFactorsOfItsOwn) {
  const std::string text = R"(
name = "s"
[factors]
platform = ["native", "xen-pv"]
[[workload]]
name = "tcp-rr"
[[workload]]
name = "linpack"
platform = ["container", "native"]
guests = [1, 2]
)";
  auto study = parse_study(text, "s.toml");
  ASSERT_TRUE(study) << study.error().text();
  EXPECT_EQ(make_plan(*study, {})->trials.size(), 5U * 6);  // in the lab each is started five times
  Study host = *study;
  host.machine = "host";
  EXPECT_EQ(repetitions_of(host), 1);
  study->repetitions = 1;
  const auto plan = make_plan(*study, {});
  ASSERT_TRUE(plan) << plan.error().text();
  std::vector<std::string> cells;
  for (const PlannedTrial& trial : plan->trials)
    cells.push_back(trial.factors.at("platform") + " " + trial.factors.at("workload") + " " +
                    trial.factors.at("guests"));
  EXPECT_THAT(cells, ElementsAre("native tcp-rr 1", "native linpack 1", "native linpack 2", "xen-pv tcp-rr 1",
                                 "container linpack 1", "container linpack 2"));
  EXPECT_EQ(effective_settings(*plan)["workloads"][1]["factors"]["guests"], nlohmann::json({"1", "2"}));

  // --set is for all of them.
  const auto set = make_plan(*study, {{"guests=3"}, {}, {}, false});
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(set->trials.size(), 4U);
  for (const PlannedTrial& trial : set->trials) EXPECT_EQ(trial.factors.at("guests"), "3");
}

TEST(Plan, RepeatsWholePasses) {
  const auto plan = make_plan(first_look(), {{}, 2});
  ASSERT_EQ(plan->trials.size(), 120U);
  EXPECT_EQ(plan->trials[59].repetition, 1);
  EXPECT_EQ(plan->trials[60].repetition, 2);
  EXPECT_EQ(plan->trials[60].factors, plan->trials[0].factors);
}

TEST(Plan, SetReplacesValues) {
  const auto plan =
      make_plan(first_look(), {{"platform=xen-pv,native", "write_bytes=4 KiB", "workload=tcp-stream"}, {}});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_THAT(plan->study.factors.at("platform"), ElementsAre("xen-pv", "native"));
  ASSERT_EQ(plan->study.workloads.size(), 1U);
  EXPECT_THAT(plan->study.workloads[0].factors.at("write_bytes"), ElementsAre("4096"));
  EXPECT_EQ(effective_settings(*plan)["factors"]["platform"], (nlohmann::json{"xen-pv", "native"}));
  EXPECT_EQ(effective_settings(*plan)["workloads"][0]["factors"]["write_bytes"][0], "4096");
}

TEST(Plan, SetReachesAWorkloadThatItAdds) {
  Study study = first_look();
  study.workloads.pop_back();
  const auto plan = make_plan(study, {{"transactions=7", "workload=tcp-rr"}, {}});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->trials[0].factors.at("transactions"), "7");
}

TEST(Plan, WrongOverridesSayWhatIsAllowed) {
  EXPECT_THAT(error_of({"platfrom=native"}),
              HasSubstr("unknown factor 'platfrom'\n  did you mean 'platform'?"));
  EXPECT_THAT(error_of({"platform=xen"}), HasSubstr("allowed: native, container, xen-pv"));
  EXPECT_THAT(error_of({"platform=native,native"}), HasSubstr("the same trial stands in it twice"));
  EXPECT_THAT(error_of({"platform"}), HasSubstr("factor=value"));
  EXPECT_THAT(error_of({"=native"}), HasSubstr("factor=value"));
  EXPECT_THAT(error_of({"platform="}), HasSubstr("factor=value"));
  EXPECT_THAT(error_of({"platform=native,"}), HasSubstr("'' is not a value"));
  EXPECT_THAT(error_of({"offloads=on", "offloads=off"}), HasSubstr("set twice"));
  EXPECT_THAT(error_of({"workload=tcp"}), HasSubstr("'tcp' is not a workload"));
  EXPECT_THAT(error_of({"workload=tcp-rr", "bytes=1"}),
              HasSubstr("a factor of tcp-stream, which this study does not run"));
  EXPECT_THAT(make_plan(first_look(), {{}, 0}).error().text(), HasSubstr("allowed: 1 to 1000"));
  EXPECT_THAT(make_plan(first_look(), {{}, 1001}).error().text(), HasSubstr("allowed: 1 to 1000"));
}

TEST(Plan, AStackIsOneThatIsKnownOrThatTheStudyDescribes) {
  const std::string text =
      "name = \"s\"\n[factors]\nstack = [\"debian-13\", \"mine\"]\n[[workload]]\nname = \"tcp-rr\"\n";
  const auto unknown = parse_study(text, "s");
  ASSERT_TRUE(unknown) << unknown.error().text();
  const auto refused = make_plan(*unknown, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("there is no stack 'mine'"));
  const auto known = parse_study(text + "[stack.mine]\nkernel = \"bzImage\"\n", "s");
  ASSERT_TRUE(known) << known.error().text();
  const auto plan = make_plan(*known, {{}, 1});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->trials.size(), 2U);
  const auto set = make_plan(*known, {{"stack=debian-12,debian-13,mine"}, 1});
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(set->trials.size(), 3U);
}

TEST(Plan, ArgumentsOfACommandLineAreOneValueEach) {
  const auto study = parse_study(
      "name = \"s\"\n[factors]\nkernel_args = [\"\", \"mitigations=off nosmt\"]\n[[workload]]\nname = "
      "\"tcp-rr\"\n",
      "s");
  ASSERT_TRUE(study) << study.error().text();
  EXPECT_EQ(make_plan(*study, {{}, 1})->trials.size(), 2U);
  EXPECT_EQ(make_plan(*study, {{"kernel_args=isolcpus=nohz,domain,1"}, 1})->trials.size(), 1U);
  const auto hostile = make_plan(*study, {{"kernel_args=init=/bin/sh"}, 1});
  ASSERT_FALSE(hostile);
  EXPECT_THAT(hostile.error().text(), testing::HasSubstr("'init' is set by the lab"));
}

TEST(Plan, TheSameTrialTwiceIsRefused) {
  Study study = first_look();
  study.workloads.push_back(study.workloads.back());
  EXPECT_THAT(make_plan(study, {}).error().text(), HasSubstr("stands in it twice: balloon_mib=0"));
}

// Blocks of a file that are about different platforms, and one platform for all of them.
TEST(Plan, BlocksThatTheCommandLineMakesAlikeAreMeasuredOnce) {
  Study study = first_look();
  study.workloads.push_back(study.workloads.back());
  study.workloads.back().common["platform"] = {"kvm"};
  const auto apart = make_plan(study, {});
  ASSERT_TRUE(apart) << apart.error().text();
  const auto plan = make_plan(study, {{"platform=native"}, {}});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->trials.size(), make_plan(first_look(), {{"platform=native"}, {}})->trials.size());
  ASSERT_EQ(plan->notes.size(), 1U);
  EXPECT_THAT(plan->notes[0], HasSubstr("are one of another block with these settings: measured once"));
}

// A study of the lab, asked of this computer.
TEST(Plan, AnotherMachineLeavesOutWhatIsTheLabsAlone) {
  Study study = first_look();
  study.factors["topology"] = {"card"};
  study.workloads[0].common["guest_cpu"] = {"together"};
  study.workloads[0].common["driver_cpus"] = {"1", "2"};
  const auto plan = make_plan(study, {{"machine=host", "platform=native,uml"}, {}});
  ASSERT_TRUE(plan) << plan.error().text();
  for (const PlannedTrial& trial : plan->trials) {
    EXPECT_EQ(trial.factors.at("topology"), "inside");
    EXPECT_EQ(trial.factors.at("guest_cpu"), "own");
    EXPECT_EQ(trial.factors.at("driver_cpus"), "1");
  }
  EXPECT_THAT(plan->notes,
              ElementsAre("on machine host there is no choice of what the study names for the lab: "
                          "guest_cpu = own, driver_cpus = 1"));
  // Asked for by name it is still refused.
  EXPECT_FALSE(make_plan(study, {{"machine=host", "platform=native,uml", "guest_cpu=together"}, {}}));
}

std::vector<std::string> many_values(std::size_t n) {
  std::vector<std::string> values;
  for (std::size_t i = 1; i <= n; ++i) values.push_back(std::to_string(i));
  return values;
}

TEST(Plan, TooManyTrialsAreCountedNotBuilt) {
  Study study = first_look();
  study.workloads = {{"tcp-rr", study.workloads[1].factors}};
  study.workloads[0].factors["transactions"] = many_values(10'000);
  EXPECT_THAT(make_plan(study, {}).error().text(),
              HasSubstr("it would make 120,000 trials; the most is 10,000"));
  for (const char* factor : {"transactions", "request_bytes", "response_bytes", "warmup_transactions"}) {
    study.workloads[0].factors[factor] = many_values(100'000);
  }
  // 12 x 10^20 x 1000: far beyond 64 bits.
  EXPECT_THAT(make_plan(study, {{}, 1000}).error().text(), HasSubstr("it would make about 1e+24 trials"));
}

TEST(Plan, VariationsRepeatEverythingAfterwards) {
  const auto once = make_plan(first_look(), {});
  const auto plan = make_plan(first_look(), {{}, {}, "timer,seed:2"});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_THAT(plan->variations, testing::ElementsAre("timer-1", "timer-2", "seed-1", "seed-2"));
  const std::size_t pass = once->trials.size();
  ASSERT_EQ(plan->trials.size(), 5 * pass);
  for (std::size_t i = 0; i < plan->trials.size(); ++i) {
    auto factors = plan->trials[i].factors;
    EXPECT_EQ(factors["variation"], i < pass ? "none" : plan->variations[i / pass - 1]);
    factors.erase("variation");
    EXPECT_EQ(factors, once->trials[i % pass].factors);
    EXPECT_EQ(plan->trials[i].index, i);
  }
  EXPECT_EQ(once->trials[0].factors.count("variation"), 0U);
}

TEST(Plan, WrongVariationsSayWhy) {
  EXPECT_EQ(variations_of("layout")->size(), 3U);
  for (const char* wrong : {"heat", "layout,", ",layout", "layout,layout", "layout:", "layout:0",
                            "layout:101", "layout:2x", ":3", "layout:-1"}) {
    const auto plan = make_plan(first_look(), {{}, {}, wrong});
    ASSERT_FALSE(plan) << wrong;
    EXPECT_THAT(plan.error().text(), HasSubstr("cannot use --vary")) << wrong;
  }
  EXPECT_THAT(make_plan(first_look(), {{}, 100, "layout,seed,timer:100"}).error().text(),
              HasSubstr("the most is 10,000"));
}

TEST(Plan, QuickIsLessOfTheSame) {
  const auto whole = make_plan(first_look(), {{}, 3});
  const auto quick = make_plan(first_look(), {{}, {}, "", true});
  ASSERT_TRUE(quick) << quick.error().text();
  EXPECT_EQ(quick->trials.size(), whole->trials.size() / 3);
  EXPECT_EQ(quick->study.left_out.at("bytes"), std::vector<std::string>{"8388608"});
  EXPECT_EQ(whole->study.left_out.size(), 0U);
  for (const PlannedTrial& trial : quick->trials) {
    const auto value = [&](const char* name, const char* otherwise) {
      const auto found = trial.factors.find(name);
      return found == trial.factors.end() ? otherwise : found->second;
    };
    EXPECT_EQ(value("bytes", "1048576"), "1048576");
    EXPECT_EQ(value("transactions", "100"), "100");
  }
  // What is asked for by name stands.
  const auto set = make_plan(first_look(), {{"bytes=4 MiB"}, {}, "", true});
  for (const PlannedTrial& trial : set->trials) {
    const auto found = trial.factors.find("bytes");
    EXPECT_TRUE(found == trial.factors.end() || found->second == "4194304");
  }
}

TEST(Plan, QuickIsFewerCompiles) {
  const auto study = parse_study(R"(
name = "x"
question = "?"
[factors]
platform = ["native", "xen-pv"]
[[workload]]
name = "compile"
compiles = [1, 2, 5]
[[workload]]
name = "compile"
platform = "xen-pv"
guests = [2, 5]
[[workload]]
name = "tcp-rr"
platform = "xen-pv"
guests = [2, 4]
)",
                                 "x.toml");
  ASSERT_TRUE(study) << study.error().text();
  const auto quick = make_plan(*study, {{}, {}, "", true});
  ASSERT_TRUE(quick) << quick.error().text();
  std::map<std::string, int> compiles, guests;
  for (const PlannedTrial& trial : quick->trials) {
    if (trial.factors.contains("compiles")) ++compiles[trial.factors.at("compiles")];
    if (trial.factors.contains("guests"))
      ++guests[trial.factors.at("workload") + " " + trial.factors.at("guests")];
  }
  EXPECT_EQ(compiles, (std::map<std::string, int>{{"1", 3}, {"2", 2}}));
  EXPECT_EQ(guests["compile 2"], 1);
  EXPECT_EQ(guests["compile 5"], 0);
  EXPECT_EQ(guests["tcp-rr 4"], 1);
}

TEST(Plan, ADiskIsWhereItsMachineHasOne) {
  const auto why = [](std::vector<std::string> set) {
    set.push_back("workload=disk");
    const auto plan = make_plan(first_look(), {std::move(set), {}});
    return plan ? std::string() : plan.error().text();
  };
  EXPECT_EQ(why({"platform=native,xen-pv,xen-pvh,xen-hvm,xen-hvm-pv,kvm,kvm-qemu"}), "");
  EXPECT_THAT(why({"platform=xen-hvm", "operation=read"}), HasSubstr("Domain-0's page cache"));
  EXPECT_THAT(why({"store=tmpdir"}), HasSubstr("'store' can only be memory in the lab"));
  EXPECT_EQ(why({"machine=host", "platform=native,container", "store=tmpdir"}), "");
  EXPECT_THAT(why({"machine=host", "platform=uml"}), HasSubstr("platform 'uml' has no disk"));
}

// One platform that cannot do a workload is no reason to measure nothing.
TEST(Plan, WhatAPlatformCannotDoIsLeftOutWithAWord) {
  const auto plan = make_plan(
      first_look(), {{"platform=native,container,qemu", "workload=disk,tcp-rr"}, {}, "", false, "host"});
  ASSERT_TRUE(plan) << plan.error().text();
  std::set<std::string> cells;
  for (const PlannedTrial& trial : plan->trials)
    cells.insert(trial.factors.at("platform") + " " + trial.factors.at("workload"));
  EXPECT_EQ(cells, (std::set<std::string>{"native disk", "container disk", "native tcp-rr",
                                          "container tcp-rr", "qemu tcp-rr"}));
  EXPECT_THAT(plan->notes,
              testing::Contains("2 cells left out: on machine host platform 'qemu' has no disk for the "
                                "workload 'disk'"));
  for (std::size_t i = 0; i < plan->trials.size(); ++i) EXPECT_EQ(plan->trials[i].index, i);
  const auto lab = make_plan(first_look(), {{"platform=native,uml", "workload=tcp-rr"}, {}});
  ASSERT_TRUE(lab) << lab.error().text();
  EXPECT_THAT(lab->notes, testing::Contains(HasSubstr("platform 'uml' runs on machine host alone")));
  EXPECT_THAT(error_of({"platform=uml"}), HasSubstr("platform 'uml' runs on machine host alone"));
}

TEST(Plan, TheOptionThatNamesTheMachineIsNamed) {
  const auto plan = make_plan(first_look(), {{}, {}, "", false, "laptop"});
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().text(), HasSubstr("cannot use --machine laptop: 'laptop' is not a machine"));
  EXPECT_THAT(error_of({"machine=laptop"}), HasSubstr("cannot use --set machine=laptop"));
  EXPECT_THAT(make_plan(first_look(), {{"machine=host"}, {}, "", false, "lab"}).error().text(),
              HasSubstr("set twice"));
}

TEST(Plan, OnTheHostWhatItCanPlaceIsPlaced) {
  const auto why = [](std::vector<std::string> set) {
    set.insert(set.end(), {"machine=host", "workload=tcp-rr"});
    const auto plan = make_plan(first_look(), {std::move(set), {}});
    return plan ? std::string() : plan.error().text();
  };
  EXPECT_EQ(why({"platform=native,container,uml,qemu,kvm", "guests=1,4", "loads=opposed",
                 "softload_percent=50", "system_window=16384", "forwarding=bridge,route,nat"}),
            "");
  EXPECT_EQ(why({"platform=container,uml", "link_mbps=100"}), "");
  EXPECT_THAT(why({"platform=native", "link_mbps=100"}), HasSubstr("'native' has no link to shape"));
  EXPECT_EQ(why({"platform=native,uml", "link_mbps=100"}), "");
  EXPECT_THAT(why({"platform=container", "driver_cpus=2"}), HasSubstr("'driver_cpus' can only be 1"));
  EXPECT_EQ(why({"platform=native,uml", "hardware_counters=off,on"}), "");
  const auto lab = make_plan(first_look(), {{"workload=tcp-rr", "hardware_counters=on"}, {}});
  ASSERT_FALSE(lab);
  EXPECT_THAT(lab.error().text(),
              testing::AllOf(HasSubstr("on machine lab 'hardware_counters' can only be off"),
                             HasSubstr("--machine host")));
}

TEST(Plan, OnTheHostEveryPlatformHoldsAProgram) {
  const auto study = parse_study(
      "name = \"s\"\n[[workload]]\nname = \"program\"\npackages = [\"sqlite3\"]\nclient = \"sqlite3 "
      "-version\"\n",
      "s.toml");
  ASSERT_TRUE(study) << study.error().text();
  const auto why = [&](std::vector<std::string> set) {
    set.emplace_back("topology=inside");
    const auto plan = make_plan(*study, {std::move(set), {}, "", false, "host"});
    return plan ? std::string() : plan.error().text();
  };
  EXPECT_EQ(why({"platform=native,container,uml,qemu,kvm,kvm-qemu,xen-pv,xen-pvh,xen-hvm,xen-hvm-pv",
                 "window=run,marks"}),
            "");
}

// What a factor would not change is measured once, and said.
TEST(Plan, SaysWhichStackNoTrialIsOf) {
  Study study = first_look();
  study.stacks["mine"].kernel = "bzImage";
  const Overrides native{{"platform=native", "workload=tcp-rr"}, {}};
  const auto unused = make_plan(study, native);
  ASSERT_TRUE(unused) << unused.error().text();
  EXPECT_THAT(unused->notes, testing::Contains(HasSubstr("no trial is of stack 'mine': ")));
  Overrides with = native;
  with.set.push_back("stack=mine");
  const auto used = make_plan(study, with);
  ASSERT_TRUE(used) << used.error().text();
  EXPECT_THAT(used->notes, Not(testing::Contains(HasSubstr("no trial is of stack"))));
}

TEST(Plan, AFactorWithoutMeaningDoesNotMultiplyTrials) {
  const auto plan = make_plan(first_look(), {{"platform=native,xen-pv,kvm", "topology=card", "offloads=off",
                                              "workload=tcp-rr", "driver_cpus=1,2", "driver_domains=0,1"},
                                             {}});
  ASSERT_TRUE(plan) << plan.error().text();
  std::vector<std::string> cells;
  for (const PlannedTrial& trial : plan->trials)
    cells.push_back(trial.factors.at("platform") + " " + trial.factors.at("driver_cpus") + " " +
                    trial.factors.at("driver_domains"));
  EXPECT_THAT(cells, ElementsAre("native 1 0", "xen-pv 1 0", "xen-pv 1 1", "xen-pv 2 0", "xen-pv 2 1",
                                 "kvm 1 0", "kvm 2 0"));
  EXPECT_THAT(plan->notes,
              ElementsAre("driver_cpus has no meaning on platform native: measured once there, as with "
                          "driver_cpus = 1",
                          "driver_domains has no meaning on platform native and platform kvm: measured once "
                          "there, as with driver_domains = 0"));
  EXPECT_EQ(
      effective_settings(*plan)["set_aside"],
      nlohmann::json::parse(R"({"kvm": ["driver_domains"], "native": ["driver_cpus", "driver_domains"]})"));

  // The only value of a platform that it means nothing on: the platform is still there to compare with.
  const auto one = make_plan(first_look(), {{"platform=native,xen-pv", "topology=card", "offloads=off",
                                             "workload=tcp-rr", "driver_domains=1"},
                                            {}});
  ASSERT_TRUE(one) << one.error().text();
  ASSERT_EQ(one->trials.size(), 2U);
  EXPECT_EQ(one->trials[0].factors.at("driver_domains"), "0");
  EXPECT_EQ(one->trials[1].factors.at("driver_domains"), "1");

  // A wire that is not there is not shaped.
  const auto link = make_plan(first_look(), {{"platform=native", "offloads=off", "workload=tcp-rr",
                                              "topology=inside,card", "link_mbps=0,100"},
                                             {}});
  ASSERT_TRUE(link) << link.error().text();
  EXPECT_EQ(link->trials.size(), 3U);
  EXPECT_THAT(link->notes, ElementsAre(HasSubstr("link_mbps has no meaning on topology inside")));
  EXPECT_EQ(effective_settings(*link).count("set_aside"), 0U);
  EXPECT_EQ(effective_settings(make_plan(first_look(), {}).value()).count("set_aside"), 0U);
}

TEST(Plan, WorkWithoutTrafficIsMeasuredOnceForAllNetworks) {
  const auto plan = make_plan(first_look(), {{"platform=native,xen-pv", "workload=compile,tcp-rr"}, {}});
  ASSERT_TRUE(plan) << plan.error().text();
  std::vector<std::string> compiles;
  for (const PlannedTrial& trial : plan->trials)
    if (trial.factors.at("workload") == "compile")
      compiles.push_back(trial.factors.at("platform") + " " + trial.factors.at("topology") + " " +
                         trial.factors.at("offloads"));
  EXPECT_THAT(compiles,
              ElementsAre("native inside on", "native card on", "xen-pv inside on", "xen-pv card on"));
  EXPECT_EQ(plan->trials.size(), 4U + 8U);
  EXPECT_THAT(plan->notes,
              ElementsAre("offloads has no meaning for compile: measured once, with the first of "
                          "the values named"));
}

}  // namespace
}  // namespace vtax
