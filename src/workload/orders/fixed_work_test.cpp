#include "workload/orders/fixed_work.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

FixedWork work_of(const nlohmann::json& json) {
  const auto fields = JsonFields::parse("read the work", json.dump());
  EXPECT_TRUE(fields);
  if (!fields) return {};
  const auto work = FixedWork::from(*fields);
  EXPECT_TRUE(work) << work.error().text();
  return work.value_or(FixedWork());
}

TEST(FixedWork, IsDoneWhole) {
  const auto solved = run_fixed_work(
      work_of({{"kind", "linpack"}, {"size", 20}, {"systems", 3}, {"precision", "double"}}), false);
  ASSERT_TRUE(solved) << solved.error().text();
  EXPECT_EQ(solved->transactions, Transactions(3));
  const auto moved =
      run_fixed_work(work_of({{"kind", "memory"}, {"array_bytes", 65536}, {"rounds", 2}}), false);
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(moved->bytes, Bytes(2 * 10 * 65536));  // copy and scale move two arrays, add and triad three
  const auto looped = run_fixed_work(work_of({{"kind", "cpu-loop"}, {"iterations", 1000}}), false);
  ASSERT_TRUE(looped) << looped.error().text();
  EXPECT_EQ(looped->transactions, Transactions(1000));
}

TEST(FixedWork, ComesBackFromItsJson) {
  const FixedWork work =
      work_of({{"kind", "linpack"}, {"size", 20}, {"systems", 3}, {"precision", "double"}});
  const FixedWork again = work_of(work.to_json());
  EXPECT_EQ(again.to_json(), work.to_json());
  EXPECT_FALSE(again.single_precision);
}

TEST(FixedWork, RefusesWhatIsWrong) {
  for (const char* text :
       {R"({})", R"({"kind": "compile"})", R"({"kind": "compile", "compiles": 0, "source": "stb_perlin"})",
        R"({"kind": "compile", "compiles": 1, "source": "../init"})", R"({"kind": 7})",
        R"({"kind": "cpu-loop"})", R"({"kind": "cpu-loop", "iterations": 0})",
        R"({"kind": "memory", "array_bytes": 1, "rounds": 5})",
        R"({"kind": "linpack", "size": 100, "systems": 1, "precision": "half"})"}) {
    const auto fields = JsonFields::parse("read the work", text);
    ASSERT_TRUE(fields);
    EXPECT_FALSE(FixedWork::from(*fields)) << text;
  }
}

TEST(FixedWork, ADisksFileIsWherePlanAndPlaceSay) {
  nlohmann::json json{{"kind", "disk"},      {"bytes", 10'000},
                      {"block_bytes", 4096}, {"operation", "write"},
                      {"pattern", "random"}, {"direct", "off"},
                      {"store", "tmpdir"},   {"file", testing::TempDir() + "vtax-fixed-work"}};
  const FixedWork work = work_of(json);
  EXPECT_TRUE(work.in_tmpdir && work.random && work.writes && !work.direct);
  EXPECT_EQ(work_of(work.to_json()).to_json(), work.to_json());
  for (const char* operation : {"write", "read"}) {
    json["operation"] = operation;
    const auto done = run_fixed_work(work_of(json), false);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->bytes, Bytes(3 * 4096)) << "whole blocks";
    EXPECT_EQ(done->transactions, Transactions()) << "its cost is per KB";
  }
  for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"bytes", 511},
                                   {"bytes", std::uint64_t{5} << 30},
                                   {"block_bytes", 1000},
                                   {"block_bytes", 2 << 20},
                                   {"operation", "erase"},
                                   {"pattern", "zigzag"},
                                   {"direct", true},
                                   {"store", "moon"},
                                   {"file", 7}}) {
    nlohmann::json bad = json;
    bad[key] = value;
    const auto fields = JsonFields::parse("read the work", bad.dump());
    EXPECT_FALSE(FixedWork::from(*fields)) << key << value;
  }
}

}  // namespace
}  // namespace vtax
