#include "published/published.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "published/find_published.h"
#include "study/find_study.h"
#include "study/plan.h"

namespace vtax {
namespace {

using testing::HasSubstr;

constexpr const char* kWhole = R"(paper = "A paper"
machine = "a machine"

[cells]
offloads = "off"
workload = "tcp-stream"

[[claim]]
id = "cost"
says = "It costs more."
source = "table 1"
quantity = "cost"
unit = "times"
published = [3, 5]
formula = "ratio"
per = "KB"
of = { platform = "xen-pv", write_bytes = "64 KiB", layers = ["driver", "hypervisor"] }
to = { platform = "native", layers = [] }
at_least = 3
at_most = 5.5

[[claim]]
id = "size"
says = "Size does not matter."
source = "figure 2"
machine = "another"
quantity = "cost of a packet"
published = "none"
formula = "spread"
per = "packet"
of = { platform = "xen-pv", domain = "Domain-0" }
over = { write_bytes = [500, "1 KiB"] }
at_most = 1.2

[[claim]]
id = "rate"
says = "It is as fast."
source = "figure 3"
quantity = "rate"
unit = "Mb/s"
published = 938
not_testable = "no rates"
)";

std::string with(std::string_view from, std::string_view to) {
  std::string text = kWhole;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const auto parsed = parse_published(text, "p.toml");
  return parsed ? "no error" : parsed.error().text();
}

TEST(Published, IsReadWhole) {
  const auto parsed = parse_published(kWhole, "p.toml");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->paper, "A paper");
  ASSERT_EQ(parsed->claims.size(), 3U);
  const Claim& cost = parsed->claims[0];
  EXPECT_EQ(cost.machine, "a machine");
  EXPECT_THAT(cost.published, testing::ElementsAre(3.0, 5.0));
  ASSERT_TRUE(cost.test);
  EXPECT_EQ(cost.test->formula, Formula::ratio);
  EXPECT_EQ(cost.test->per, "KB");
  const std::map<std::string, std::string> xen{
      {"offloads", "off"}, {"platform", "xen-pv"}, {"workload", "tcp-stream"}, {"write_bytes", "65536"}};
  EXPECT_EQ(cost.test->of.factors, xen);
  EXPECT_THAT(cost.test->of.layers, testing::ElementsAre(Layer::driver, Layer::hypervisor));
  EXPECT_EQ(cost.test->to.factors.at("platform"), "native");
  EXPECT_EQ(cost.test->to.factors.at("write_bytes"), "65536");  // as in `of`
  EXPECT_TRUE(cost.test->to.layers.empty());
  EXPECT_EQ(cost.test->at_least, 3);
  EXPECT_EQ(cost.test->at_most, 5.5);
  const Claim& size = parsed->claims[1];
  EXPECT_EQ(size.machine, "another");
  EXPECT_EQ(size.published_text, "none");
  EXPECT_EQ(size.test->of.domain, "Domain-0");
  EXPECT_EQ(size.test->over, "write_bytes");
  EXPECT_THAT(size.test->over_values, testing::ElementsAre("500", "1024"));
  EXPECT_FALSE(size.test->at_least);
  EXPECT_EQ(parsed->claims[2].not_testable, "no rates");
  EXPECT_FALSE(parsed->claims[2].test);
}

TEST(Published, ALatencyNamesItsPercentile) {
  const auto latency = [](const std::string& more, const char* factors = "") {
    return fmt::format(R"(paper = "p"
[[claim]]
id = "a"
says = "s"
source = "t"
quantity = "q"
published = 1
at_least = 1
formula = "latency"
{}
of = {{ platform = "xen-pv", workload = "tcp-rr"{} }}
)",
                       more, factors);
  };
  const auto parsed = parse_published(latency("percentile = 99"), "p");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->claims[0].test->percentile, 99);
  EXPECT_TRUE(parsed->claims[0].test->to.factors.empty());
  const auto relative = parse_published(latency("percentile = 50\nto = { platform = \"native\" }"), "p");
  ASSERT_TRUE(relative) << relative.error().text();
  EXPECT_EQ(relative->claims[0].test->to.factors.at("platform"), "native");
  for (const char* bad : {"", "percentile = 75", "percentile = \"99\"", "percentile = 99.0"})
    EXPECT_THAT(error_of(latency(bad)), HasSubstr("a latency needs a 'percentile': 50, 90 or 99")) << bad;
  EXPECT_THAT(error_of(latency("percentile = 99\nper = \"KB\"")), HasSubstr("a latency has no 'per'"));
  EXPECT_THAT(error_of(latency("percentile = 99", ", event = \"hypercalls\"")),
              HasSubstr("a latency has no 'event'"));
  EXPECT_THAT(error_of(latency("percentile = 99\nbase = { guests = 2 }")),
              HasSubstr("a latency has no 'base'"));
}

TEST(Published, AnEventAndABaseAreRead) {
  const auto parsed =
      parse_published(with("formula = \"ratio\"",
                           "base = { offloads = \"on\", event = \"l2_misses\" }\nformula = \"points\""),
                      "p");
  ASSERT_TRUE(parsed) << parsed.error().text();
  const ClaimTest& test = *parsed->claims[0].test;
  EXPECT_EQ(test.formula, Formula::points);
  EXPECT_EQ(test.of_base.factors.at("offloads"), "on");
  EXPECT_EQ(test.of_base.factors.at("platform"), "xen-pv");
  EXPECT_EQ(test.to_base.factors.at("platform"), "native");
  EXPECT_EQ(test.to_base.event, "l2_misses");
  EXPECT_TRUE(test.of_base.layers.empty());
  EXPECT_EQ(test.of.event, "");
}

struct Wrong {
  const char* name;
  const char* from;
  const char* to;
  const char* message;
};

class WrongClaims : public testing::TestWithParam<Wrong> {};

TEST_P(WrongClaims, SayWhatIsWrong) {
  const std::string error = error_of(with(GetParam().from, GetParam().to));
  EXPECT_THAT(error, HasSubstr("cannot read published claims p.toml: "));
  EXPECT_THAT(error, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongClaims,
    testing::Values(
        Wrong{"UnknownKey", "says =", "say =", "unknown key 'say'\n  did you mean 'says'?"},
        Wrong{"UnknownRootKey", "paper =", "papers =", "did you mean 'paper'?"},
        Wrong{"NoPaper", "paper = \"A paper\"", "", "key 'paper' is missing"},
        Wrong{"NoSource", "source = \"table 1\"", "", "line 8, column 1: key 'source' is missing"},
        Wrong{"TextWanted", "\"table 1\"", "1", "'source' must be text, not a whole number"},
        Wrong{"ControlCharacters", "It costs", "It\\u001b costs", "'says' holds control characters"},
        Wrong{"Id", "id = \"cost\"", "id = \"Cost 1\"", "an id is 1 to 24 letters"},
        Wrong{"IdTwice", "id = \"size\"", "id = \"cost\"", "two claims have the id 'cost'"},
        Wrong{"NoFigure", "published = [3, 5]", "", "claim 'cost' has no 'published'"},
        Wrong{"RangeTurned", "[3, 5]", "[5, 3]", "the lesser first"},
        Wrong{"RangeOfThree", "[3, 5]", "[3, 4, 5]", "a range is two numbers"},
        Wrong{"RangeOfText", "[3, 5]", "[3, \"5\"]", "'published' must be a number, not text"},
        Wrong{"Infinite", "published = 938", "published = inf", "'published' is out of range"},
        Wrong{"Formula", "\"ratio\"", "\"ration\"", "'ration' is no value of 'formula'\n  allowed: value"},
        Wrong{"NoTest", "formula = \"ratio\"", "", "neither 'formula' nor 'not_testable'"},
        Wrong{"Both", "not_testable", "at_least = 1\nnot_testable",
              "'at_least' cannot stand beside 'not_testable'"},
        Wrong{"EmptyReason", "\"no rates\"", "\"\"", "'not_testable' is empty"},
        Wrong{"Per", "\"packet\"", "\"byte\"", "allowed: KB, packet, transaction"},
        Wrong{"NoLimits", "at_most = 1.2", "", "neither 'at_least' nor 'at_most'"},
        Wrong{"LimitsTurned", "at_least = 3", "at_least = 7", "greater than 'at_most'"},
        Wrong{"NoTo", "to = { platform = \"native\", layers = [] }", "", "a ratio needs 'to'"},
        Wrong{"ToOfSpread", "over =", "to = {}\nover =", "a spread has no 'to'"},
        Wrong{"BaseOfRatio", "to = { platform", "base = { offloads = \"on\" }\nto = { platform",
              "a ratio has no 'base'"},
        Wrong{"PerOfRate", "formula = \"ratio\"", "formula = \"rate\"", "a rate has no 'per'"},
        Wrong{"PercentileOfRatio", "formula = \"ratio\"", "formula = \"ratio\"\npercentile = 50",
              "only a latency has a 'percentile'"},
        Wrong{"NoBase", "formula = \"ratio\"", "formula = \"points\"", "a points needs 'base'"},
        Wrong{"BaseOfNothing", "formula = \"ratio\"", "base = { offloads = \"off\" }\nformula = \"points\"",
              "'base' changes nothing"},
        Wrong{"EventsName", "write_bytes = \"64 KiB\", layers = [\"driver\", \"hypervisor\"]",
              "event = \"l2-misses\"", "for example l2_misses"},
        Wrong{"EventOfLayers", "write_bytes = \"64 KiB\",", "event = \"l2_misses\",",
              "'layers' cannot stand beside it"},
        Wrong{"NoOver", "over = { write_bytes = [500, \"1 KiB\"] }", "", "a spread needs 'over'"},
        Wrong{"OverOneValue", "[500, \"1 KiB\"]", "[500]", "at least two values"},
        Wrong{"OverTwice", "[500, \"1 KiB\"]", "[1024, \"1 KiB\"]", "value 1024 stands twice"},
        Wrong{"OverText", "{ write_bytes = [500, \"1 KiB\"] }", "{ offloads = [\"on\", \"off\"] }",
              "'offloads' is no factor that is a number"},
        Wrong{"OverFixed", "domain = \"Domain-0\"", "write_bytes = 500",
              "'write_bytes' stands in 'over' too"},
        Wrong{"ToSame", "{ platform = \"native\", layers = [] }", "{}", "'to' is the same as 'of'"},
        Wrong{"Factor", "offloads = \"off\"", "ofloads = \"off\"", "did you mean 'offloads'?"},
        Wrong{"FactorValue", "\"native\"", "\"nativ\"", "did you mean 'native'?"},
        Wrong{"OtherWorkloads", "offloads = \"off\"", "transactions = 3",
              "tcp-stream has no factor 'transactions'"},
        Wrong{"NoWorkload", "workload = \"tcp-stream\"", "", "no 'workload' is named"},
        Wrong{"Workload", "\"tcp-stream\"", "\"tcp-steam\"", "did you mean 'tcp-stream'?"},
        Wrong{"Layer", "\"driver\", ", "\"drivers\", ", "this is no layer"},
        Wrong{"LayerTwice", "\"driver\", ", "\"hypervisor\", ", "a layer stands twice"},
        Wrong{"NotToml", "paper = ", "paper ", "line 1, column"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Published, WithoutClaimsIsAnError) {
  EXPECT_THAT(error_of("paper = \"A\"\n"), HasSubstr("it holds no claim"));
  EXPECT_THAT(error_of("paper = \"A\"\nclaim = [1]\n"), HasSubstr("a claim must be a table"));
  EXPECT_THAT(error_of("\xff"), HasSubstr("not UTF-8"));
  std::string many = "paper = \"A\"\n";
  for (int i = 0; i < 201; ++i) many += "[[claim]]\n";
  EXPECT_THAT(error_of(many), HasSubstr("more than 200 claims"));
}

TEST(Published, SurvivesNoise) {
  const std::string good = kWhole;
  std::minstd_rand random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 3; ++i)
      bad[random() % bad.size()] = static_cast<char>(round % 2 == 0 ? random() : ' ' + random() % 95);
    if (round % 3 == 0) bad.resize(random() % bad.size());
    if (round % 3 == 1) bad.erase(random() % bad.size(), random() % 40);
    const auto parsed = parse_published(bad, "noise");
    if (!parsed) continue;
    for (const Claim& claim : parsed->claims) EXPECT_NE(claim.test.has_value(), !claim.not_testable.empty());
  }
}

TEST(FindPublished, ErrorsSayWhatToDo) {
  EXPECT_THAT(find_published("primet-2001").error().text(), HasSubstr("did you mean 'primet-2007'?"));
  EXPECT_THAT(find_published("/nowhere/p.toml").error().text(), HasSubstr("No such file"));
}

// Every cell that a claim of vtax's own asks for is in the plan of the study of the same name.
TEST(FindPublished, ItsCellsAreInTheirStudies) {
  EXPECT_THAT(built_in_published(),
              testing::ElementsAre("antonioli-2006", "benevenuto-2006", "charao-2008", "primet-2007"));
  for (const std::string& name : built_in_published()) {
    const auto text = find_published(name);
    ASSERT_TRUE(text) << text.error().text();
    auto study = find_study(name);
    ASSERT_TRUE(study) << study.error().text();
    EXPECT_EQ(study->published, name);
    Overrides once;
    once.repetitions = 1;
    const auto plan = make_plan(*study, once);
    ASSERT_TRUE(plan) << plan.error().text();
    EXPECT_LE(plan->trials.size(), 60U);
    const auto cells = [&](const std::map<std::string, std::string>& factors) {
      return std::count_if(plan->trials.begin(), plan->trials.end(), [&](const PlannedTrial& trial) {
        return std::all_of(factors.begin(), factors.end(), [&](const auto& f) {
          return trial.factors.count(f.first) == 1 && trial.factors.at(f.first) == f.second;
        });
      });
    };
    const auto parsed = parse_published(*text, name);
    for (const Claim& claim : parsed->claims) {
      if (!claim.test) continue;
      auto of = claim.test->of.factors;
      if (claim.test->over.empty()) {
        EXPECT_EQ(cells(of), 1) << name << ": " << claim.id;
      }
      for (const std::string& value : claim.test->over_values) {
        of[claim.test->over] = value;
        EXPECT_EQ(cells(of), 1) << name << ": " << claim.id << ", " << value;
      }
      if (!claim.test->to.factors.empty()) {
        EXPECT_EQ(cells(claim.test->to.factors), 1) << name << ": " << claim.id;
      }
    }
  }
}

}  // namespace
}  // namespace vtax
