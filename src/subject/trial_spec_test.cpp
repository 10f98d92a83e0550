#include "subject/trial_spec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "subject/factor_table.h"
#include "subject/workload_table.h"

namespace vtax {
namespace {

using FactorMap = std::map<std::string, std::string>;

// A value besides the default.
std::string another_value(const Factor& factor) {
  if (factor.type == FactorType::prices) return "kernel:1+program:0.5";
  if (factor.type == FactorType::arguments) return "mitigations=off nosmt";
  if (is_text(factor.type)) return "more 'than' one, word";
  for (const std::string_view choice : factor.choices)
    if (choice != factor.fallback) return std::string(choice);
  return std::to_string(factor.fallback == std::to_string(factor.low) ? factor.high : factor.low);
}

struct RowOfWorkload {
  std::string workload;
  const Factor* factor;
};

std::vector<RowOfWorkload> every_row() {
  std::vector<RowOfWorkload> rows;
  for (const Factor& factor : common_factors()) rows.push_back({"tcp-rr", &factor});
  for (const WorkloadKind& workload : workloads())
    for (const Factor& factor : workload.factors) rows.push_back({std::string(workload.name), &factor});
  return rows;
}

class EveryFactor : public testing::TestWithParam<RowOfWorkload> {
 protected:
  const Factor& factor() const { return *GetParam().factor; }
  // On a platform where it means something.
  FactorMap with(const std::string& value) const {
    FactorMap factors{{"workload", GetParam().workload}, {"platform", "xen-pv"}};
    factors[std::string(factor().name)] = value;
    return factors;
  }
};

TEST_P(EveryFactor, IsReadBySomebody) {
  const FactorReaders& readers = factor().readers;
  EXPECT_TRUE(readers.plan || readers.boot || readers.emulator || readers.host);
  const FactorMeaning& meaning = factor().meaning;
  EXPECT_EQ(meaning.in_lab, readers.plan || readers.boot || readers.emulator);
  EXPECT_EQ(meaning.on_host && factor().name != "topology", readers.host)
      << "where it means something, it is read";
}

TEST_P(EveryFactor, IsAFieldOfItsOwn) {
  const auto usual = trial_spec_of(with(factor().fallback)),
             other = trial_spec_of(with(another_value(factor())));
  ASSERT_TRUE(usual) << usual.error().text();
  ASSERT_TRUE(other) << other.error().text();
  EXPECT_EQ(factor().get(*usual), factor().fallback);
  EXPECT_EQ(factor().get(*other), another_value(factor()));
  // Nothing else has changed.
  TrialSpec back = *other;
  factor().set(back, factor().fallback);
  if (factor().name == "driver_domains") back.cards = usual->cards;  // each has one
  EXPECT_EQ(back, *usual);
}

TEST_P(EveryFactor, SurvivesThePlanWhereItIsInIt) {
  const auto spec = trial_spec_of(with(another_value(factor())));
  ASSERT_TRUE(spec);
  const nlohmann::json plan = to_json(*spec);
  EXPECT_EQ(plan.contains(std::string(factor().name)), factor().readers.plan);
  const auto read = trial_spec_from(JsonFields("read", plan), {});
  ASSERT_TRUE(read) << read.error().text();
  if (factor().readers.plan) {
    EXPECT_EQ(factor().get(*read), another_value(factor()));
  }
  EXPECT_EQ(to_json(*read), plan);
}

TEST_P(EveryFactor, TakesNoOtherValues) {
  if (is_text(factor().type)) {
    for (const std::string& text :
         {std::string(factor().high + 1, 'a'), std::string("a\nb"), std::string("\xff")})
      EXPECT_FALSE(trial_spec_of(with(text))) << text;
    EXPECT_EQ(trial_spec_of(with("two  spaces")).has_value(), factor().type == FactorType::text);
    return;
  }
  if (factor().type == FactorType::stack) {
    for (const std::string text : {"", "-1", "1 ", "Mine", "../mine", "mine,"})
      EXPECT_FALSE(trial_spec_of(with(text))) << text;
    return;
  }
  for (const std::string text : {"", "-1", "99999999999999999999", "half", "1 "})
    EXPECT_FALSE(trial_spec_of(with(text))) << text;
}

INSTANTIATE_TEST_SUITE_P(All, EveryFactor, testing::ValuesIn(every_row()), [](const auto& tested) {
  std::string name = tested.param.workload + "_" + std::string(tested.param.factor->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(TrialSpec, WhatNoRowSaysIsRefusedByName) {
  const auto unknown = trial_spec_of({{"workload", "tcp-rr"}, {"guest_cups", "2"}});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().why.find("'guest_cups'"), std::string::npos);
  EXPECT_FALSE(trial_spec_of({{"workload", "tcp-rr"}, {"write_bytes", "1448"}})) << "another workload's";
  EXPECT_FALSE(trial_spec_of({{"workload", "juggling"}}));
}

TEST(TrialSpec, APlanNeedsItsWorkloadsFactorsAndNoOthers) {
  const nlohmann::json plan = to_json(*trial_spec_of({{"workload", "http"}}));
  for (const char* needed : {"workload", "platform", "topology", "requests", "files"}) {
    nlohmann::json without = plan;
    without.erase(needed);
    EXPECT_FALSE(trial_spec_from(JsonFields("read", without), {})) << needed;
  }
  nlohmann::json without = plan;
  without.erase("loads");
  EXPECT_TRUE(trial_spec_from(JsonFields("read", without), {}));
  nlohmann::json more = plan;
  more["version"] = 1;
  EXPECT_FALSE(trial_spec_from(JsonFields("read", more), {}));
  EXPECT_TRUE(trial_spec_from(JsonFields("read", more), {"version"}));
}

TEST(TrialSpec, EachDriverDomainHasACard) {
  EXPECT_EQ(trial_spec_of({{"platform", "xen-pv"}, {"driver_domains", "2"}})->cards, 2);
  EXPECT_EQ(trial_spec_of({{"platform", "kvm"}, {"driver_domains", "2"}})->driver_domains, 0);
}

}  // namespace
}  // namespace vtax
