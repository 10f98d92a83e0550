#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "core/readable.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

namespace vtax {

// Of synthetic_run() the native trial of the typical combination of its streams; the other platforms' lie 20
// and 40 behind it.
inline constexpr std::size_t kTypical = 12;

// Exchanges made web requests at two offered rates, one that is possible and one that is not.
inline vtax::Run run_at_offered_rates() {
  vtax::Run run = synthetic_run();
  run.settings = R"({"speed": {"cpu_mips": 1000}})";
  for (Trial& trial : run.trials) {
    if (trial.factors["workload"] != "tcp-rr") continue;
    trial.factors["workload"] = "http";
    trial.factors["connections_per_second"] = trial.factors["offloads"] == "on" ? "100" : "1000000";
    trial.factors.erase("offloads");
  }
  return run;
}

// The report page in a real browser.
class ReportPage : public testing::Test {
 protected:
  // Writes the run's page; `page_` is its text.
  void make(const vtax::Run& run) {
    disk_ = std::make_unique<RunOnDisk>(run);
    file_ = disk_->file().string() + ".html";
    const auto made =
        run_program(VTAX_PROGRAM " report " + disk_->file().string() + " --format html -o " + file_);
    ASSERT_EQ(made.code, 0) << made.err;
    std::ifstream in(file_);
    page_.assign(std::istreambuf_iterator<char>(in), {});
  }

  // The page's elements once its script has run; fails on anything that the browser's console reports.
  [[nodiscard]] std::string rendered() const {
    const auto shown = browser("--virtual-time-budget=5000 --enable-logging=stderr --dump-dom");
    EXPECT_THAT(shown.err, testing::Not(testing::HasSubstr("CONSOLE"))) << shown.err;
    EXPECT_THAT(shown.out, testing::HasSubstr("data-ready=\"true\""));
    return shown.out;
  }

  // What stands on paper, line by line.
  [[nodiscard]] std::string printed() const {
    const std::string paper = file_ + ".pdf";
    static_cast<void>(browser("--no-pdf-header-footer --print-to-pdf=" + paper));
    return run_program("pdftotext -layout " + paper + " -").out;
  }

  [[nodiscard]] ProgramResult browser(const std::string& options) const {
    const std::string profile = disk_->file().parent_path().string() + "/browser";
    const auto ended = run_program(
        "timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
        " --disable-background-networking --disable-component-update --disable-sync --user-data-dir=" +
        profile + " --window-size=1280,900 " + options + " 'file://" + file_ + "#unfolded'");
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended;
  }

  // The page's text without a script's help, as a text browser or a mail's preview shows it.
  [[nodiscard]] std::string text_without_scripts() const {
    std::string text;
    std::size_t at = 0;
    while (at < page_.size()) {
      const std::size_t tag = std::min(page_.find('<', at), page_.size());
      text += page_.substr(at, tag - at) + ' ';
      if (tag == page_.size()) break;
      const std::string_view rest = std::string_view(page_).substr(tag);
      const std::string_view end = rest.starts_with("<script")  ? "</script>"
                                   : rest.starts_with("<style") ? "</style>"
                                                                : ">";
      at = page_.find(end, tag) + end.size();
    }
    for (const auto& [entity, character] : std::map<std::string, std::string>{
             {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}})
      for (std::size_t i = 0; (i = text.find(entity, i)) != std::string::npos; ++i)
        text.replace(i, entity.size(), character);
    return text;
  }

  // Every number of the run's table that the page does not show without scripts. Of time a table has one
  // unit, and the page each number its own: 0.00484 us there are 4.84 ns here.
  [[nodiscard]] std::vector<std::string> numbers_missing(bool in_time = false) const {
    const auto table = run_program(VTAX_PROGRAM " report --all " + disk_->file().string());
    EXPECT_EQ(table.code, 0) << table.err;
    const auto shown = numbers_of(text_without_scripts());
    const auto wanted = numbers_of(table.out);
    EXPECT_GT(wanted.size(), 20U);
    std::vector<std::string> missing;
    std::set_difference(wanted.begin(), wanted.end(), shown.begin(), shown.end(),
                        std::back_inserter(missing));
    std::erase_if(missing, [&](const std::string& number) {
      return in_time && number.starts_with("0.") && shown.contains(readable(std::stod(number) * 1000));
    });
    return missing;
  }

  static std::set<std::string> numbers_of(const std::string& text) {
    static const std::regex number("[0-9][0-9,]*(\\.[0-9]+)?");
    std::set<std::string> all;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), number); at != std::sregex_iterator();
         ++at) {
      std::string one = at->str();
      while (one.ends_with(',')) one.pop_back();
      all.insert(std::move(one));
    }
    return all;
  }

  // What the chart in the element of this id holds.
  static nlohmann::json series_of(const std::string& elements, const std::string& id) {
    const std::size_t start = elements.find("id=\"" + id + "\"");
    const std::string attribute = "data-series=\"";
    const std::size_t from = elements.find(attribute, start) + attribute.size();
    std::string text = elements.substr(from, elements.find('"', from) - from);
    for (std::size_t at = 0; (at = text.find("&quot;")) != std::string::npos;) text.replace(at, 6, "\"");
    return nlohmann::json::parse(text, nullptr, false);
  }

  std::unique_ptr<RunOnDisk> disk_;
  std::string file_, page_;
};

#define VTAX_NEEDS_CHROMIUM()                                        \
  if (run_program("command -v chromium").code != 0) {                \
    GTEST_SKIP() << "chromium is missing: apt-get install chromium"; \
  }

}  // namespace vtax
