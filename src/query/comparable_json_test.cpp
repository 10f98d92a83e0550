#include "query/comparable_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "record/json_difference.h"

namespace vtax {
namespace {

TEST(ComparableJson, OneMorePackageIsOneDifference) {
  const std::string before = R"({"packages": [{"name": "b", "version": "1", "sha256": "00112233445566"}],
                                 "own_files": []})";
  const std::string after = R"({"packages": [{"name": "a", "version": "7", "sha256": "ff112233445566"},
                                             {"name": "b", "version": "1", "sha256": "00112233445566"}],
                                "own_files": [{"part": "xen", "path": "/home/a/x", "sha256": "abcdefabcdefabc"}]})";
  const auto found = json_differences(comparable_provenance(before), comparable_provenance(after));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, "/own_files/xen");
  EXPECT_EQ(found[0].left, "nothing");
  EXPECT_EQ(found[0].right, "\"x (abcdefabcdef)\"");
  EXPECT_EQ(found[1].path, "/packages/a");
  EXPECT_EQ(found[1].right, "\"7 (ff1122334455)\"");
}

TEST(ComparableJson, OneWordMoreOfTheCommandLineIsOneDifference) {
  const auto found = json_differences(
      comparable_provenance(
          R"({"emulator_arguments": ["-L", "a", "-cpu", "max,-smap", "-append", "quiet x=1"]})"),
      comparable_provenance(
          R"({"emulator_arguments": ["-cpu", "max,-smap,-fsrs", "-append", "quiet x=1"]})"));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].path, "/emulator_arguments/-L");
  EXPECT_EQ(found[1].path, "/emulator_arguments/-L a");
  EXPECT_EQ(found[2].path, "/emulator_arguments/-cpu -fsrs");
  EXPECT_EQ(found[2].left, "nothing");
}

TEST(ComparableJson, ListsOfSettingsAreOneTextAndOwnFilesAreLeftOut) {
  const auto found = json_differences(
      comparable_settings(R"({"factors": {"platform": ["native", "xen-pv"]}, "repetitions": 1})"),
      comparable_settings(
          R"({"factors": {"platform": ["native"]}, "repetitions": 1, "kernel": "./bzImage", "published": "x"})"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, "/factors/platform");
  EXPECT_EQ(found[0].left, "\"native, xen-pv\"");
}

TEST(ComparableJson, WhatHasAnotherFormStaysAsItIs) {
  for (const char* text : {R"({"packages":"none"})", R"({"packages":[1]})", R"({"packages":[{"name":1}]})"})
    EXPECT_EQ(comparable_provenance(text), text);
  for (const char* text : {"", "[", "[1]", "null"}) EXPECT_EQ(comparable_provenance(text), "{}");
}

TEST(ComparableJson, NoiseIsAnObjectThatEqualsItselfAndDiffersBothWays) {
  const std::string good =
      R"({"own_files":[{"part":"xen","path":"/x","sha256":"ab"}],"packages":[],"f":[["a",[1,null]],{}]})";
  std::minstd_rand random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 3; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    const std::string provenance = comparable_provenance(bad), settings = comparable_settings(bad);
    for (const std::string& text : {provenance, settings})
      EXPECT_TRUE(nlohmann::json::parse(text, nullptr, false).is_object()) << text;
    EXPECT_TRUE(json_differences(provenance, provenance).empty());
    const auto there = json_differences(provenance, settings), back = json_differences(settings, provenance);
    ASSERT_EQ(there.size(), back.size());
    for (std::size_t i = 0; i < there.size(); ++i) {
      EXPECT_EQ(there[i].path, back[i].path);
      EXPECT_EQ(there[i].left, back[i].right);
    }
  }
}

}  // namespace
}  // namespace vtax
