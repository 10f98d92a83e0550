#include "tests/report_page/report_page.h"

namespace vtax {
namespace {

using testing::HasSubstr;

TEST_F(ReportPage, ShowsTheCourseOfTheWindow) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  for (Trial& trial : run.trials) {
    const std::uint64_t bytes = trial.work.bytes.value, exchanges = trial.work.transactions.value;
    trial.guests = {{"guest1", trial.work.bytes, trial.work.transactions, 4'000'000}};
    trial.timeline.end_ns = {1'000'000, 4'000'000};
    trial.timeline.work = {
        {"guest1", {bytes / 2, bytes - bytes / 2}, {exchanges / 2, exchanges - exchanges / 2}}};
    for (const LedgerEntry& entry : trial.ledger)
      if (entry.kind == "instructions")
        trial.timeline.rows.push_back({entry.cpu,
                                       entry.domain,
                                       entry.layer,
                                       entry.part,
                                       {entry.value / 4, entry.value - entry.value / 4}});
  }
  make(run);
  const auto timeline = series_of(rendered(), "timeline");
  ASSERT_EQ(timeline.size(), 7U);                // six layers and the pace
  const Trial& xen = run.trials[kTypical + 40];  // the headline
  std::uint64_t driver = 0, all = 0;
  for (const LedgerEntry& entry : xen.ledger) {
    if (entry.kind != "instructions") continue;
    all += entry.value;
    if (entry.layer == Layer::driver) driver += entry.value;
  }
  // Each box: from and to in ms, from and to in instructions a ms, instructions. Slices of 1 and 3 ms.
  const auto& boxes = timeline[1]["data"];
  ASSERT_EQ(boxes.size(), 2U);
  EXPECT_EQ(boxes[0][4].get<std::uint64_t>() + boxes[1][4].get<std::uint64_t>(), driver);
  EXPECT_NEAR(boxes[0][0].get<double>(), 0, 1e-9);
  EXPECT_NEAR(boxes[0][1].get<double>(), 1, 1e-9);
  EXPECT_NEAR(boxes[1][0].get<double>(), 1, 1e-9);
  EXPECT_NEAR(boxes[1][1].get<double>(), 4, 1e-9);
  for (const auto& box : boxes)
    EXPECT_NEAR((box[1].get<double>() - box[0].get<double>()) * (box[3].get<double>() - box[2].get<double>()),
                box[4].get<double>(), 1e-3);
  // One on the other: the last layer's upper edge holds them all.
  double area = 0;
  for (const auto& box : timeline[5]["data"])
    area += (box[1].get<double>() - box[0].get<double>()) * box[3].get<double>();
  EXPECT_NEAR(area, static_cast<double>(all), 1e-3);
  // Half of the work in a quarter of the time; steps from begin to end.
  const auto& pace = timeline[6]["data"];
  ASSERT_EQ(pace.size(), 4U);
  for (const std::size_t i : {0U, 1U}) EXPECT_NEAR(pace[i][1].get<double>(), 2, 1e-9);
  for (const std::size_t i : {2U, 3U}) EXPECT_NEAR(pace[i][1].get<double>(), 2.0 / 3, 1e-9);
  EXPECT_NEAR(pace[3][0].get<double>(), 4, 1e-9);
}

// Slices of a quarter and a half of a second, natively and of a guest.
TEST_F(ReportPage, ShowsTheCourseOfAWindowOnTheHost) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  run.settings = R"({"machine": "host"})";
  run.trials = {run.trials[17], run.trials[57]};
  constexpr std::uint64_t kMs = 1'000'000;
  for (Trial& trial : run.trials) {
    trial.functions.clear();
    trial.machine_total = Instructions(0);
    trial.timeline.end_ns = {250 * kMs, 750 * kMs};
    trial.timeline.in_time = true;
    trial.timeline.devices = {
        {"system", "host", "lo", {5'000'000, 20'000'000}, {5'000'000, 20'000'000}, {1, 1}, {1, 1}, {0, 3}}};
  }
  run.trials[0].ledger = {{0, "elsewhere", Layer::elsewhere, Part::none, kCpuTimeKind, 700 * kMs},
                          {0, "idle", Layer::idle, Part::none, kCpuTimeKind, 50 * kMs},
                          {1, "elsewhere", Layer::elsewhere, Part::none, kCpuTimeKind, 40 * kMs},
                          {1, "host", Layer::kernel, Part::none, kCpuTimeKind, 400 * kMs},
                          {1, "host", Layer::program, Part::none, kCpuTimeKind, 300 * kMs},
                          {1, "idle", Layer::idle, Part::none, kCpuTimeKind, 10 * kMs}};
  run.trials[0].timeline.rows = {{0, "elsewhere", Layer::elsewhere, Part::none, {250 * kMs, 450 * kMs}},
                                 {0, "idle", Layer::idle, Part::none, {0, 50 * kMs}},
                                 {1, "elsewhere", Layer::elsewhere, Part::none, {40 * kMs, 0}},
                                 {1, "host", Layer::kernel, Part::none, {100 * kMs, 300 * kMs}},
                                 {1, "host", Layer::program, Part::none, {100 * kMs, 200 * kMs}},
                                 {1, "idle", Layer::idle, Part::none, {10 * kMs, 0}}};
  run.trials[1].ledger = {{1, "guest1", Layer::kernel, Part::none, kCpuTimeKind, 400 * kMs},
                          {1, "guest1", Layer::program, Part::none, kCpuTimeKind, 100 * kMs},
                          {1, "host", Layer::driver, Part::kernel, kCpuTimeKind, 200 * kMs},
                          {1, "idle", Layer::idle, Part::none, kCpuTimeKind, 50 * kMs}};
  run.trials[1].timeline.rows = {{1, "guest1", Layer::kernel, Part::none, {200 * kMs, 300 * kMs}, true},
                                 {1, "host", Layer::driver, Part::none, {50 * kMs, 150 * kMs}},
                                 {1, "idle", Layer::idle, Part::none, {0, 50 * kMs}}};
  run.planned_trials = 2;
  run.trials[1].index = 18;
  // The last cell of a comparison is the one that is shown.
  const auto names = [](const nlohmann::json& series) {
    std::vector<std::string> out;
    for (const auto& one : series) out.push_back(one["name"]);
    return out;
  };
  make(run);
  const std::string both = rendered();
  const auto guest = series_of(both, "timeline");
  ASSERT_THAT(names(guest), testing::ElementsAre("driver", "kernel+program", "rate"));
  EXPECT_THAT(both, HasSubstr("nothing tells the two apart within this window"));
  EXPECT_THAT(both, HasSubstr("they dropped 3 packets in the window"));
  run.trials.pop_back();
  run.planned_trials = 1;
  make(run);
  const auto native = series_of(rendered(), "timeline");
  ASSERT_THAT(names(native), testing::ElementsAre("kernel", "program", "elsewhere", "rate"));
  // Each box: from and to in s, from and to in CPUs, ns.
  const auto expect_box = [&](std::size_t series, std::size_t slice, std::array<double, 5> wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(native[series]["data"][slice][i].get<double>(), wanted[i], 1e-6) << series << " " << slice;
  };
  expect_box(0, 0, {0, .25, 0, .4, 100e6});
  expect_box(1, 1, {.25, .75, .6, 1, 200e6});
  expect_box(2, 0, {0, .25, .8, .96, 40e6});  // not of CPU 0, on which the trial was not
  for (const std::size_t i : {0U, 1U}) EXPECT_NEAR(native[3]["data"][i][1].get<double>(), 160, 1e-6);
  for (const std::size_t i : {2U, 3U}) EXPECT_NEAR(native[3]["data"][i][1].get<double>(), 320, 1e-6);
}

}  // namespace
}  // namespace vtax
