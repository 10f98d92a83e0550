#include "watch/show/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "core/harmless.h"
#include "watch/show/testing/readings.h"

namespace vtax::watch {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string text_of(const Metrics& metrics) {
  std::ostringstream out;
  metrics.write(out);
  return out.str();
}

// Each sample with its labels.
std::map<std::string, double> samples_of(const Metrics& metrics) {
  std::map<std::string, double> out;
  std::istringstream in(text_of(metrics));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_TRUE(out.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second) << line;
  }
  return out;
}

double sum_of_family(const std::map<std::string, double>& samples, const std::string& name) {
  double sum = 0;
  for (const auto& [sample, value] : samples)
    if (sample.starts_with(name)) sum += value;
  return sum;
}

TEST(Metrics, AddUpToAllCpusTime) {
  Metrics metrics;
  for (int i = 0; i < 3; ++i) metrics.take(reading_of_two());
  const auto samples = samples_of(metrics);
  EXPECT_EQ(samples.at("vtax_domain_cpu_seconds_total{domain=\"web\",layer=\"guest\",part=\"\"}"), 0.75);
  EXPECT_EQ(samples.at("vtax_domain_cpu_seconds_total{domain=\"web\",layer=\"driver\",part=\"threads\"}"),
            0.09);
  EXPECT_EQ(samples.at("vtax_domain_network_transmit_bytes_total{domain=\"web\"}"), 9'000'000);
  EXPECT_EQ(samples.at("vtax_domain_memory_used_bytes{domain=\"web\"}"), 1536.0 * 1024 * 1024);
  EXPECT_EQ(samples.at("vtax_readings_total"), 3);
  // A guest's time is in one series: what one adds is the time of all CPUs.
  EXPECT_NEAR(sum_of_family(samples, "vtax_domain_cpu_seconds_total") +
                  sum_of_family(samples, "vtax_other_cpu_seconds_total"),
              6, 1e-9);
  for (const auto& [sample, value] : samples)
    if (sample.find("cpu") != std::string::npos) {
      EXPECT_TRUE(sample.starts_with("vtax_domain_cpu_seconds_total") ||
                  sample.starts_with("vtax_other_cpu_seconds_total"))
          << sample;
    }
}

TEST(Metrics, LeaveOutWhatIsNotKnown) {
  Metrics metrics;
  metrics.take(reading_of_two());
  for (const auto& [sample, value] : samples_of(metrics)) {
    if (sample.find("domain=\"box\"") != std::string::npos) {
      EXPECT_TRUE(sample.starts_with("vtax_domain_cpu_seconds") || sample.starts_with("vtax_domain_info") ||
                  sample.starts_with("vtax_domain_paused"))
          << sample;
    }
  }
}

// Guests come, go, lose and get counters in any order: no counter falls.
TEST(Metrics, NeverFall) {
  Metrics metrics;
  std::map<std::string, double> before;
  Reading reading = reading_of_two();
  std::uint64_t random = 1;
  for (int i = 0; i < 500; ++i) {
    Reading now = reading_of_two();
    now.at = reading.at + std::chrono::milliseconds(100) * i;
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    if ((random >> 33U) % 3 == 0)
      now.guests.erase(now.guests.begin() + static_cast<std::ptrdiff_t>((random >> 40U) % 2));
    if ((random >> 43U) % 3 == 0)
      for (GuestUse& guest : now.guests) guest.network.reset();
    if ((random >> 47U) % 7 == 0) now.guests.clear();
    metrics.take(now);
    const auto samples = samples_of(metrics);
    for (const auto& [sample, value] : before) {
      if (sample.find("_total") == std::string::npos) continue;
      ASSERT_TRUE(samples.contains(sample)) << sample;
      ASSERT_GE(samples.at(sample), value) << sample;
    }
    before = samples;
  }
}

TEST(Metrics, ForgetWhoIsLongGone) {
  Metrics metrics;
  Reading reading = reading_of_two();
  metrics.take(reading);
  reading.guests.pop_back();
  reading.at += Metrics::kKept;
  metrics.take(reading);
  EXPECT_THAT(text_of(metrics), HasSubstr("cpu_seconds_total{domain=\"web\""));
  EXPECT_THAT(text_of(metrics), Not(HasSubstr("vtax_domain_info{domain=\"web\"")));
  reading.at += 1s;
  metrics.take(reading);
  EXPECT_THAT(text_of(metrics), Not(HasSubstr("domain=\"web\"")));
  // A storm of guests does not stay either.
  for (int i = 0; i < 1'500; ++i) {
    reading.guests[0].name = std::to_string(i);
    reading.at += 1ms;
    metrics.take(reading);
  }
  std::set<std::string> names;
  for (const auto& [sample, value] : samples_of(metrics))
    if (sample.starts_with("vtax_domain_cpu")) names.insert(sample.substr(0, sample.find(',')));
  EXPECT_EQ(names.size(), Metrics::kMostGone + 1);
}

TEST(Metrics, NamesOfGuestsStayWithinTheirQuotes) {
  Metrics metrics;
  Reading reading = reading_of_two();
  reading.guests[0].name = "a\"} 1\nvtax_readings_total 999\\";
  reading.guests[1].name = evil_name;
  metrics.take(reading);
  const std::string text = text_of(metrics);
  EXPECT_EQ(printable_text(text), text);
  EXPECT_THAT(text, HasSubstr(R"(domain="a\"} 1\nvtax_readings_total 999\\")"));
  EXPECT_EQ(samples_of(metrics).at("vtax_readings_total"), 1);
}

// samples_of() finds the same series twice; Prometheus would take nothing of such a text.
TEST(Metrics, NamesThatLabelsCannotTellApartAreOneDomain) {
  Metrics metrics;
  Reading reading = reading_of_two();
  reading.guests[0].name = "a\x01";
  reading.guests[1].name = "a\x02";
  metrics.take(reading);
  EXPECT_EQ(samples_of(metrics).at("vtax_domain_cpu_seconds_total{domain=\"a?\",layer=\"guest\",part=\"\"}"),
            0.35);
}

// What the dashboard asks for is there.
TEST(Metrics, AreThoseOfTheDashboard) {
  Metrics metrics;
  metrics.take(reading_of_two());
  const auto samples = samples_of(metrics);
  std::ifstream in(VTAX_SOURCE_DIR "/packaging/grafana-vtax-top.json");
  const auto dashboard = nlohmann::json::parse(in);
  std::set<std::string> asked;
  const std::regex name("vtax_[a-z_]+");
  for (const auto& panel : dashboard["panels"])
    for (const auto& target : panel.value("targets", nlohmann::json::array())) {
      const auto text = target["expr"].get<std::string>();
      for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
        asked.insert(at->str());
    }
  EXPECT_GE(asked.size(), 8U);
  for (const std::string& metric : asked)
    EXPECT_GT(std::count_if(samples.begin(), samples.end(),
                            [&](const auto& s) { return s.first.starts_with(metric); }),
              0)
        << metric;
}

}  // namespace
}  // namespace vtax::watch
