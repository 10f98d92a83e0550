#include "profile/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace vtax::profile {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr int kVcpuProcess = 100;

MonitorProfile sampled(std::vector<Row> rows) {
  MonitorProfile made;
  made.period = 10'000'000;
  made.duration = seconds(10);
  made.frames = {
      {"guest", std::string(kUnknownFunction)}, {"kvm", "run"}, {"web", "answer"}, {"web", "main"}};
  made.rows = std::move(rows);
  for (const Row& row : made.rows) made.samples += row.samples;
  return made;
}

// A KVM guest "web" whose virtual CPU's thread was sampled in the guest and outside of it.
HostSide host_of_one_guest() {
  HostSide host;
  host.profile = sampled({{kVcpuProcess, kVcpuProcess, "qemu", Mode::guest_user, false, false, {0}, 500},
                          {kVcpuProcess, kVcpuProcess, "qemu", Mode::kernel, false, false, {1}, 100},
                          {0, 0, "idle", Mode::kernel, true, false, {1}, 400}});
  host.before.guests.emplace_back();
  host.before.guests[0].name = "web";
  host.before.guests[0].kind = watch::GuestKind::kvm;
  host.before.processes[kVcpuProcess] = {watch::Part::own, 0, 0};
  host.after = host.before;
  host.reading.driver = "host";
  host.reading.guests.emplace_back();
  host.reading.guests[0].name = "web";
  host.reading.guests[0].kind = watch::GuestKind::kvm;
  host.reading.guests[0].own_ns = 5'100'000'000;
  return host;
}

TEST(Merge, TheHostAloneTellsWhenAGuestRanAndSaysSo) {
  const Merged merged = merge(host_of_one_guest(), {});
  ASSERT_EQ(merged.guests.size(), 1U);
  EXPECT_EQ(merged.guests[0].own_samples, 500U);
  EXPECT_DOUBLE_EQ(merged.guests[0].own_seconds, 5);  // 500 samples of 10 ms
  EXPECT_DOUBLE_EQ(merged.guests[0].counted_own_seconds.value(), 5.1);
  EXPECT_EQ(merged.guests[0].caused_samples, 100U);
  EXPECT_EQ(merged.profile.total, 600U);
  EXPECT_EQ(merged.idle, 400U);
  EXPECT_EQ(merged.unknown, 500U);
  ASSERT_FALSE(merged.notes.empty());
  EXPECT_THAT(merged.notes[0], HasSubstr("no functions of it"));
}

TEST(Merge, AnAgentsSamplesTakeThePlaceOfTheHosts) {
  GuestSide side{"web", sampled({{0, 0, "web", Mode::user, false, false, {2, 3}, 480}}), ""};
  const Merged merged = merge(host_of_one_guest(), {side});
  EXPECT_EQ(merged.guests[0].own_samples, 480U);
  EXPECT_EQ(merged.profile.total, 580U);
  EXPECT_EQ(merged.unknown, 0U);
  std::ostringstream folded;
  write_folded(merged.profile, folded);
  EXPECT_EQ(folded.str(), "web;program;web;main;answer 480\nhost;hypervisor;kvm;run 100\n");
}

TEST(Merge, AMissingPartIsNamedAndTheOthersStay) {
  const Merged merged = merge(host_of_one_guest(), {{"web", std::nullopt, "it is late"}});
  EXPECT_EQ(merged.profile.total, 600U);
  EXPECT_EQ(merged.notes.at(0), "web: its part is missing: it is late");
}

}  // namespace
}  // namespace vtax::profile
