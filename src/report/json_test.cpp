#include "report/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/json_writer.h"
#include "core/sha256.h"
#include "query/testing/claims_of_synthetic_run.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/golden.h"

namespace vtax {
namespace {

std::string json_of(const Run& run) {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  const auto written = write_json(reader, out);
  EXPECT_TRUE(written) << written.error().text();
  return out.str();
}

Run two_trials() {
  auto run = synthetic_run();
  run.trials = {run.trials[0], run.trials[59]};
  make_failed(run.trials[0], "the guest hung");
  return run;
}

TEST(Json, IsAsItWas) {
  expect_golden(json_of(two_trials()), "report.json");
}

TEST(Json, HoldsTheTrialsNumbers) {
  const auto run = synthetic_run();
  const auto json = nlohmann::json::parse(json_of(run));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["study"], "synthetic");
  ASSERT_EQ(json["trials"].size(), 60U);
  std::string digests;
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    const Trial& trial = run.trials[i];
    const auto& shown = json["trials"][i];
    digests += trial.digest;
    EXPECT_EQ(shown["platform"], trial.factors.at("platform"));
    EXPECT_EQ(shown["factors"], nlohmann::json(trial.factors));
    EXPECT_EQ(shown["machine_total"]["instructions"], trial.machine_total.value);
    EXPECT_EQ(shown["work"]["packets"], trial.work.packets.value);
    std::uint64_t sum = 0;
    for (const auto& entry : shown["ledger"]) {
      if (entry["kind"] == "instructions") sum += entry["value"].get<std::uint64_t>();
    }
    EXPECT_EQ(sum, trial.machine_total.value);
    EXPECT_EQ(shown["functions"].size(), trial.functions.size());
  }
  EXPECT_EQ(json["digest"], sha256_hex(digests));
  EXPECT_EQ(json["finished_trials"], 60);
}

TEST(Json, AnUnknownCpuIsNull) {
  auto run = synthetic_run();
  run.trials = {run.trials[0]};
  add_uncharged(run.trials[0], Instructions(3));
  const auto ledger = nlohmann::json::parse(json_of(run))["trials"][0]["ledger"];
  EXPECT_EQ(ledger.back()["cpu"], nlohmann::json());
  EXPECT_EQ(ledger.back()["value"], 3);
}

TEST(Json, AFailedTrialHasAnErrorAndNoNumbers) {
  const auto trial = nlohmann::json::parse(json_of(two_trials()))["trials"][0];
  EXPECT_EQ(trial["error"], "the guest hung");
  for (const char* absent : {"digest", "work", "ledger", "machine_total", "functions", "devices"}) {
    EXPECT_FALSE(trial.contains(absent)) << absent;
  }
}

TEST(Json, HostileNamesStayText) {
  auto run = two_trials();
  run.study = "</script><script>alert(1)</script>\"\\\n\x01";
  const std::string text = json_of(run);
  EXPECT_EQ(nlohmann::json::parse(text)["study"], run.study);
  EXPECT_EQ(text.find('<'), std::string::npos);
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::ostringstream out;
  {
    JsonWriter json(out);
    json.begin_object().key("a").begin_array().value(std::uint64_t{1}).value(2.5).null().end_array();
    json.field("b", true).key("c").begin_object().end_object().key("d").raw("[\"<\"]").end_object();
  }
  EXPECT_EQ(out.str(), R"({"a":[1,2.5,null],"b":true,"c":{},"d":["\u003c"]})");
}

TEST(Json, HoldsTheClaimsWithTheirVerdicts) {
  auto run = synthetic_run();
  carry_claims(run, synthetic_claims());
  const auto json = nlohmann::json::parse(json_of(run));
  ASSERT_EQ(json["claims"].size(), 4U);
  const auto& cost = json["claims"][0];
  EXPECT_EQ(cost["id"], "cost");
  EXPECT_EQ(cost["published"], nlohmann::json({3.0, 5.0}));
  EXPECT_NEAR(cost["measured"].get<double>(),
              static_cast<double>(run.trials[57].machine_total.value) /
                  static_cast<double>(run.trials[17].machine_total.value),
              1e-9);
  EXPECT_EQ(cost["verdict"], "reproduced");
  EXPECT_EQ(json["claims"][1]["verdict"], "not reproduced");
  EXPECT_EQ(json["claims"][1]["at_most"], nullptr);
  EXPECT_EQ(json["claims"][2]["verdict"], "not testable");
  EXPECT_THAT(json["claims"][2]["reason"].get<std::string>(), testing::HasSubstr("is not in this run"));
  EXPECT_EQ(json["claims"][3]["measured"], nullptr);
  EXPECT_FALSE(json.contains("claims_error"));
  carry_claims(run, "nonsense");
  const auto unreadable = nlohmann::json::parse(json_of(run));
  EXPECT_TRUE(unreadable["claims"].empty());
  EXPECT_THAT(unreadable["claims_error"].get<std::string>(), testing::HasSubstr("cannot read"));
}

// docs/report-schema.md is the promise to those who read this format.
TEST(Json, EveryFieldIsDocumented) {
  std::ifstream in(VTAX_SOURCE_DIR "/docs/report-schema.md");
  std::stringstream docs;
  docs << in.rdbuf();
  const auto json = nlohmann::json::parse(json_of(two_trials()));
  const auto expect_documented = [&](const nlohmann::json& object) {
    for (const auto& [key, value] : object.items()) {
      EXPECT_THAT(docs.str(), testing::HasSubstr("| `" + key + "` |"));
    }
  };
  expect_documented(json);
  auto with_claims = two_trials();
  carry_claims(with_claims, synthetic_claims());
  const auto claims = nlohmann::json::parse(json_of(with_claims))["claims"];
  ASSERT_FALSE(claims.empty());
  expect_documented(claims[0]);
  expect_documented({{"claims_error", ""}});
  for (const auto& trial : json["trials"]) {
    expect_documented(trial);
    for (const char* list : {"devices", "ledger", "functions"}) {
      if (trial.contains(list) && !trial[list].empty()) expect_documented(trial[list][0]);
    }
    if (trial.contains("work")) expect_documented(trial["work"]);
  }
}

}  // namespace
}  // namespace vtax
