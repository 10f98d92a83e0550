#include "advise/what_if.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace vtax::advise {
namespace {

using testing::HasSubstr;

// A second of two CPUs: web has 400 ms of its own on its one virtual CPU and makes the host work 100 ms on
// CPU 0; box has 200 ms and 100 ms; another program has 100 ms on CPU 0.
watch::Reading a_second(std::uint64_t web_own = 400'000'000) {
  watch::Reading reading;
  reading.interval = std::chrono::seconds(1);
  reading.number = 1;
  watch::GuestUse web;
  web.name = "web";
  web.own_ns = web_own;
  web.caused.packets_ns = 100'000'000;
  web.virtual_cpus = {{0, web_own, {}, {}, {}}};
  watch::GuestUse box;
  box.name = "box";
  box.own_ns = 200'000'000;
  box.caused.threads_ns = 100'000'000;
  reading.guests = {box, web};
  reading.all_cpus_ns = 2'000'000'000;
  reading.other.elsewhere_ns = 100'000'000;
  reading.other.idle_ns = reading.all_cpus_ns - 500'000'000 - web_own;
  watch::CpuUse cpu;
  cpu.caused_ns = 200'000'000;
  cpu.other.elsewhere_ns = 100'000'000;
  reading.cpus = {cpu};
  return reading;
}

WhatIf what_if(const std::vector<std::string>& changes, const std::vector<watch::Reading>& readings) {
  std::vector<Change> all;
  for (const std::string& text : changes) all.push_back(change_of(text).value());
  WhatIfReadings sum(all);
  for (const watch::Reading& reading : readings) sum.add(reading);
  const auto result = sum.take();
  EXPECT_TRUE(result) << result.error().text();
  return result.value_or(WhatIf());
}

const Limit& limit(const WhatIf& result, const std::string& name) {
  for (const Limit& one : result.limits)
    if (one.name == name) return one;
  ADD_FAILURE() << name;
  return result.limits.front();
}

TEST(WhatIf, OneMoreGuestTakesWhatTheMeanOneTakes) {
  const WhatIf result = what_if({"guests=+1"}, {a_second()});
  // Guests: 600 ms own, 200 caused; the mean 300 and 100. Besides 100 ms of another program, of 2,000.
  EXPECT_NEAR(limit(result, "all CPUs").before, 0.45, 1e-12);
  EXPECT_NEAR(limit(result, "all CPUs").after, 0.65, 1e-12);
  EXPECT_NEAR(limit(result, "all CPUs").room, (2000 - 100) / 1200.0, 1e-9);
  // The host's 200 ms on CPU 0 become 300.
  EXPECT_NEAR(limit(result, "CPU 0, by the host's work").after, 0.4, 1e-12);
  EXPECT_NEAR(limit(result, "CPU 0, by the host's work").room, 3, 1e-9);
  EXPECT_NEAR(limit(result, "virtual CPUs of web").after, 0.4, 1e-12);
}

TEST(WhatIf, AGuestLikeAnotherAndAnotherRate) {
  const WhatIf result = what_if({"guests=+2:web", "rate=1.5:web"}, {a_second()});
  // web: 600 and 150 after; two more of them; box as it was: 3 x 750 + 300 + 100 of 2,000.
  EXPECT_NEAR(limit(result, "all CPUs").after, (3 * 750 + 300 + 100) / 2000.0, 1e-12);
  EXPECT_NEAR(limit(result, "virtual CPUs of web").after, 0.6, 1e-12);
  std::ostringstream out;
  write_what_if(result, {"guests=+2:web", "rate=1.5:web"}, out);
  EXPECT_THAT(out.str(), HasSubstr("It cannot carry that: all CPUs would be 13"));
}

TEST(WhatIf, SaysWhatNineOfTenReadingsStayBelow) {
  std::vector<watch::Reading> readings(9, a_second());
  readings.push_back(a_second(900'000'000));
  const WhatIf result = what_if({"rate=1"}, readings);
  EXPECT_NEAR(limit(result, "virtual CPUs of web").after, 0.45, 1e-12);
  EXPECT_NEAR(limit(result, "virtual CPUs of web").after_often, 0.4, 1e-12);
  std::ostringstream out;
  write_what_if(result, {"rate=1"}, out);
  EXPECT_THAT(out.str(), HasSubstr("The first limit: virtual CPUs of web, at 2.2"));
}

TEST(WhatIf, RefusesWhatItCannotKnow) {
  for (const char* bad : {"guests", "guests=1", "guests=+0", "guests=+1:", "guests=+x", "rate=0", "rate=-1",
                          "rate=nan", "rate=2x", "speed=2", ""})
    EXPECT_FALSE(change_of(bad)) << bad;
  WhatIfReadings none({});
  EXPECT_THAT(none.take().error().why, HasSubstr("no reading"));
  WhatIfReadings other({change_of("rate=2:mail").value()});
  other.add(a_second());
  EXPECT_THAT(other.take().error().text(), HasSubstr("no guest is called 'mail'"));
  watch::Reading empty = a_second();
  empty.guests.clear();
  WhatIfReadings no_guests({});
  no_guests.add(empty);
  EXPECT_THAT(no_guests.take().error().why, HasSubstr("no guest"));
}

}  // namespace
}  // namespace vtax::advise
