// Guests of User Mode Linux, QEMU and Xen on this computer.

#include <gmock/gmock.h>

#include "tests/host/host_study.h"
#include "tests/host/traces.h"

namespace vtax {
namespace {

using nlohmann::json;

class HostGuest : public Host, public testing::WithParamInterface<std::string> {};

TEST_P(HostGuest, IsMeasuredFromOutside) {
  need_platform(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result =
      run(study(GetParam(), "tcp-rr --set transactions=2000 --set hardware_counters=on --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  for (const json& trial : out["trials"]) {
    expect_balance(trial);
    EXPECT_EQ(trial["work"]["transactions"], 2000);
    EXPECT_GT(host_time(trial, "", "guest1"), 0U);
    if (trial["provenance"]["meter"]["span_ns"].get<double>() > 1e9) expect_course(trial);
  }
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

TEST_P(HostGuest, OfWhichThereAreTwoHasRowsOfItsOwn) {
  need_platform(GetParam());
  if (IsSkipped()) return;
  const auto before = traces();
  const auto result = run(
      study(GetParam(),
            "tcp-rr --set transactions=1000 --set offloads=on --set guests=2 --set loads=opposed --json"));
  ASSERT_EQ(result.code, 0) << result.err;
  const json out = json::parse(result.out);
  ASSERT_EQ(out["trials"].size(), 1U);
  const json& trial = out["trials"][0];
  expect_balance(trial);
  EXPECT_EQ(trial["work"]["transactions"], 2000);
  EXPECT_EQ(trial["guests"].size(), 2U);
  for (const char* guest : {"guest1", "guest2"}) EXPECT_GT(host_time(trial, "", guest), 0U) << guest;
  EXPECT_THAT(left_behind(before), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, HostGuest,
                         testing::Values("uml", "qemu", "xen-pv", "xen-pvh", "xen-hvm-pv", "xen-hvm"));

}  // namespace
}  // namespace vtax
