#include "report/figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "report/figure_axis.h"
#include "report/figure_svg.h"
#include "report/palette.h"
#include "report/run_figure.h"
#include "subject/platform_table.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string drawn(const Run& run, const std::string& chart, const std::string& cell = "") {
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  std::ostringstream out;
  const auto written = write_run_figure(reader, chart, cell, out);
  return written ? out.str() : written.error().text();
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++times;
  return times;
}

// Three sizes of a write on two platforms, each in two directions.
Run run_over_sizes() {
  vtax::Run run = synthetic_header();
  for (const char* bytes : {"1448", "16384", "65536"})
    for (const std::size_t place : {0U, 1U, 40U, 41U}) {  // receiving and sending, native and xen-pv
      Trial trial = synthetic_run().trials[place];
      trial.index = run.trials.size();
      trial.factors["write_bytes"] = bytes;
      run.trials.push_back(std::move(trial));
    }
  run.planned_trials = run.trials.size();
  return run;
}

TEST(Figure, OfTaxesHasARowForEachCombinationAndTheirFigures) {
  const std::string svg = drawn(synthetic_run(), "tax");
  EXPECT_EQ(count(svg, "<circle"), 40U);  // 20 combinations of two platforms
  EXPECT_THAT(
      svg,
      HasSubstr("<title>xen-pv, tcp-stream, receiving, card, offloads off, 64 KiB writes: 4.50?</title>"));
  EXPECT_THAT(svg, HasSubstr(">cost of a KB, native = 1</text>"));
  EXPECT_THAT(svg, HasSubstr(">cost of a transaction, native = 1</text>"));
  EXPECT_EQ(svg, drawn(synthetic_run(), "tax"));  // the same bytes
}

TEST(Figure, OfTaxesHasTheNounsArticle) {
  vtax::Run run = synthetic_run();
  for (Trial& trial : run.trials)
    if (trial.factors["workload"] == "tcp-rr") trial.factors["workload"] = "program";
  EXPECT_THAT(drawn(run, "tax"), HasSubstr(">cost of an operation, native = 1</text>"));
}

TEST(Figure, OverANumberIsALineForEachPlatform) {
  const std::string svg = drawn(run_over_sizes(), "tax");
  EXPECT_EQ(count(svg, "<polyline"), 2U);  // xen-pv, receiving and sending
  EXPECT_EQ(count(svg, "<circle"), 6U);
  EXPECT_EQ(count(svg, ">write size, bytes</text>"), 2U);
  for (const char* size : {">1448 B</text>", ">16 KiB</text>", ">64 KiB</text>"})
    EXPECT_THAT(svg, HasSubstr(size));
}

TEST(Figure, OfSomeCellsHasThoseAlone) {
  const std::string svg = drawn(synthetic_run(), "tax", "tcp-rr, card");
  EXPECT_EQ(count(svg, "<circle"), 4U);
  EXPECT_THAT(drawn(synthetic_run(), "tax", "nothing"),
              HasSubstr("no combination has 'nothing' in its name"));
}

TEST(Figure, OfLayersIsOneBarAPlatformAndAddsUp) {
  const std::string svg =
      drawn(synthetic_run(), "layers", "tcp-stream, receiving, card, offloads off, 64 KiB");
  const Trial xen = synthetic_run().trials[57];
  double sum = 0;
  std::size_t at = 0, boxes = 0;
  const std::string before = "<title>xen-pv, ";
  while ((at = svg.find(before, at)) != std::string::npos) {
    at = svg.find(": ", at) + 2;
    std::string figure = svg.substr(at, svg.find(' ', at) - at);
    std::erase(figure, ',');
    sum += std::stod(figure);
    ++boxes;
  }
  EXPECT_EQ(boxes, 6U);
  EXPECT_NEAR(
      sum, static_cast<double>(xen.machine_total.value) / (static_cast<double>(xen.work.bytes.value) / 1024),
      3);
  EXPECT_THAT(svg, HasSubstr("instructions per KB</text>"));
}

TEST(Figure, OfFunctionsIsAFlameGraphAPlatformOnOneScale) {
  const std::string svg =
      drawn(synthetic_run(), "flame", "tcp-stream, receiving, card, offloads off, 64 KiB");
  // What is told of a domain: "guest1: 12,345 instructions per KB, 40.0 %".
  const std::regex box(
      "width=\"([0-9.]+)\"[^>]*><title>([A-Za-z0-9-]+): ([0-9,.]+) instructions per KB, ([0-9.]+) %</title>");
  std::map<std::string, double> costs, widths, shares;
  for (std::sregex_iterator at(svg.begin(), svg.end(), box), end; at != end; ++at) {
    const bool is_first_host = (*at)[2] == "host" && !costs.contains("host");
    const std::string platform = is_first_host ? "host" : (*at)[2] == "host" ? "container" : "xen";
    std::string figure = (*at)[3];
    std::erase(figure, ',');
    costs[platform] += std::stod(figure);
    widths[platform] += std::stod((*at)[1]) + 1;
    shares[platform] += std::stod((*at)[4]);
  }
  ASSERT_EQ(costs.size(), 3U);
  const Trial xen = synthetic_run().trials[57];
  EXPECT_NEAR(
      costs["xen"],
      static_cast<double>(xen.machine_total.value) / (static_cast<double>(xen.work.bytes.value) / 1024), 3);
  for (const auto& [platform, cost] : costs) {
    EXPECT_NEAR(widths[platform] / cost, widths["xen"] / costs["xen"], 0.02 * widths["xen"] / costs["xen"]);
    EXPECT_NEAR(shares[platform], 100, 0.2) << platform;
  }
  EXPECT_THAT(svg, HasSubstr("<title>Domain-0 › driver › xen_netback › xenvif_tx_action: "));
  EXPECT_THAT(svg, HasSubstr(">xen-pv: "));
  EXPECT_EQ(svg, drawn(synthetic_run(), "flame", "tcp-stream, receiving, card, offloads off, 64 KiB"));
}

TEST(Figure, ThatCannotBeDrawnSaysWhy) {
  vtax::Run run = synthetic_run();
  EXPECT_THAT(drawn(run, "rates"), HasSubstr("no rate was measured"));
  vtax::Run host = run;
  for (Trial& trial : host.trials) make_host(trial);
  EXPECT_THAT(drawn(host, "flame"), HasSubstr("machine host does not"));
  EXPECT_THAT(drawn(host, "layers"), HasSubstr("s of CPU time per "));
  std::erase_if(run.trials, [](const Trial& trial) { return trial.factors.at("platform") == "native"; });
  EXPECT_THAT(drawn(run, "tax"), HasSubstr("no platform stands beside native"));
  for (Trial& trial : run.trials) add_measured(trial);
  EXPECT_THAT(drawn(run, "rates"), HasSubstr(">rate, Mb/s</text>"));
}

TEST(Figure, AxesEndAtRoundValues) {
  EXPECT_EQ(round_ticks(5.8, 6), (std::vector<double>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(round_ticks(0, 6), (std::vector<double>{0, 1}));
  EXPECT_EQ(round_ticks(17'000, 5).back(), 20'000);
  const auto around = ticks_around(1, 0.04);
  EXPECT_NEAR(around.front(), 0.96, 1e-9);
  EXPECT_NEAR(around.back(), 1.04, 1e-9);
  EXPECT_EQ(tick_text(2'500'000), "2.5 M");
}

TEST(Figure, EveryPlatformHasAColourOfItsOwn) {
  std::set<std::string_view> colors;
  std::size_t platforms = 0;
  for (const PlatformFacts& platform : kPlatformTable) {
    EXPECT_EQ(paint_of(platform.name), platform.name);
    colors.insert(light_color(paint_of(platform.name)));
    ++platforms;
  }
  for (const Layer layer : kLayers) colors.insert(light_color(name(layer)));
  EXPECT_EQ(colors.size(), platforms + kLayers.size());
  EXPECT_EQ(paint_of("\"><script>"), "other");
}

}  // namespace
}  // namespace vtax
