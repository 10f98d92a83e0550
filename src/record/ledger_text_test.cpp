#include "record/ledger_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/noise_for_test.h"

namespace vtax {
namespace {

const std::vector<LedgerEntry> ledger{
    {0, "host", Layer::kernel, Part::none, kCpuTimeKind, 12345},
    {3, "Domain-0", Layer::driver, Part::program, kCpuTimeKind, std::numeric_limits<std::uint64_t>::max()},
    {LedgerEntry::kUnknownCpu, "guest1", Layer::uncharged, Part::none, kHardwareCyclesKind, 0}};

TEST(LedgerText, ComesBackAsItWas) {
  EXPECT_EQ(read_ledger(ledger_text(ledger)).value(), ledger);
  EXPECT_EQ(read_ledger(ledger_text({})).value(), std::vector<LedgerEntry>{});
}

TEST(LedgerText, NothingIsTakenForAZero) {
  const std::string good = ledger_text({ledger.front()});
  ASSERT_TRUE(read_ledger(good));
  const auto with = [&](std::string_view part, std::string_view other) {
    std::string text = good;
    const auto at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), other);
  };
  for (const std::string& bad :
       {with(",\"value\":12345", ""), with("12345", "-1"), with("12345", "1.5"), with("12345", "\"12345\""),
        with("\"cpu\":0,", ""), with("\"cpu\":0", "\"cpu\":-2"), with("kernel", "kernels"),
        with("\"part\":\"\"", "\"part\":\"all\""), with("\"value\"", "\"more\":1,\"value\""),
        with("[", "[7,"), with("]", "]]"), std::string("{}"), std::string()}) {
    EXPECT_FALSE(read_ledger(bad)) << bad;
  }
  EXPECT_THAT(read_ledger(with("12345", "-1")).error().text(), testing::HasSubstr("'value'"));
}

TEST(LedgerText, WhatIsTakenOfNoiseComesBackAsItWas) {
  std::mt19937_64 random(5);
  const std::string good = ledger_text(ledger);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto ledger = read_ledger(with_noise(good, random));
    if (!ledger) continue;
    ++taken;
    ASSERT_EQ(read_ledger(ledger_text(*ledger)).value(), *ledger);
  }
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 20'000);
}

}  // namespace
}  // namespace vtax
