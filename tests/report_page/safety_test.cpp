#include <regex>

#include "query/testing/claims_of_synthetic_run.h"
#include "tests/report_page/report_page.h"

namespace vtax {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ReportPage, ItsPolicyNamesWhatMayRunByContent) {
  make(synthetic_run());
  EXPECT_THAT(page_, Not(HasSubstr("unsafe")));
  const std::regex policy(
      "script-src( 'sha256-[A-Za-z0-9+/]{43}='){3}; "
      "style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:");
  EXPECT_TRUE(std::regex_search(page_, policy)) << page_.substr(0, 1000);
  EXPECT_THAT(page_.substr(0, page_.find("<script")), Not(HasSubstr(" style=")));
}

TEST_F(ReportPage, MarkupInNamesNeverRuns) {
  VTAX_NEEDS_CHROMIUM();
  const std::string evil =
      "</script><script>document.documentElement.dataset.hacked=1</script>"
      "<img src=x onerror='document.documentElement.dataset.hacked=1'>\"'`{{data}}\\";
  vtax::Run run = synthetic_run();
  run.study = run.question = run.study_source = run.vtax_version = run.started_utc = evil;
  run.machine = nlohmann::json{{evil, evil}}.dump();
  run.settings = run.machine;
  for (Trial& trial : run.trials) {
    trial.factors["offloads"] += evil;
    trial.factors[evil] = evil;
    trial.provenance = run.machine;
    trial.devices[0].device = evil;
    trial.functions[0].function = evil;
    trial.functions[0].image = evil;
    trial.ledger.push_back({0, evil, Layer::kernel, Part::none, evil, 1});
  }
  make_failed(run.trials[3], evil);
  // Claims are a file of anyone's too.
  std::string escaped;
  for (const char c : evil) escaped += (c == '"' || c == '\\' ? std::string("\\") : std::string()) + c;
  std::string claims = synthetic_claims();
  for (const char* text : {"A made-up paper", "Receiving costs three to five times as much.",
                           "section 6, figure 1", "cost relative to native", "the lab gives no rates"}) {
    claims.replace(claims.find(text), std::string_view(text).size(), escaped);
  }
  carry_claims(run, claims);
  make(run);
  EXPECT_THAT(page_, Not(HasSubstr("<script>document")));
  EXPECT_THAT(page_, Not(HasSubstr("<img src=x")));
  const std::string elements = rendered();
  EXPECT_THAT(elements, Not(HasSubstr("data-hacked")));
  EXPECT_THAT(elements, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(elements, HasSubstr("0 of 4 claims reproduced"));  // they were read
}

TEST_F(ReportPage, NamesNoPlaceInTheNetworkToFetchFrom) {
  make(synthetic_run());
  for (const char* loading : {"src=\"http", "href=\"http", "url(http", "@import"}) {
    EXPECT_THAT(page_, Not(HasSubstr(loading)));
  }
  EXPECT_THAT(page_, HasSubstr("default-src 'none'"));
}

TEST_F(ReportPage, OfClaimsThatCannotBeRead) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  carry_claims(run, "nonsense </script><script>document.documentElement.dataset.hacked=1</script>");
  make(run);
  const std::string elements = rendered();
  EXPECT_THAT(elements, HasSubstr("cannot read published claims of this run"));
  EXPECT_THAT(elements, Not(HasSubstr("data-hacked")));
}

TEST_F(ReportPage, OfARunWithoutTrials) {
  VTAX_NEEDS_CHROMIUM();
  make(synthetic_header());
  EXPECT_THAT(rendered(), HasSubstr("No trial ended: nothing was measured."));
}

TEST_F(ReportPage, OfFailedTrialsOnly) {
  VTAX_NEEDS_CHROMIUM();
  vtax::Run run = synthetic_run();
  for (Trial& trial : run.trials) make_failed(trial, "the guest hung");
  make(run);
  EXPECT_THAT(rendered(), HasSubstr("the guest hung"));
}

TEST_F(ReportPage, OfFiveHundredTrialsIsBelowFiveMegabytes) {
  vtax::Run run = synthetic_header();
  for (std::uint64_t i = 0; i < 500; ++i) {
    auto factors = synthetic_run().trials[i % 60].factors;
    factors["bytes"] = std::to_string(8'388'608 + i / 60 * 1024);
    Trial trial = synthetic_trial(i, std::move(factors));
    // As many functions as a real kernel shows.
    const FunctionCost some{"guest1", Layer::kernel, Part::none, "vmlinux", "", Instructions(0)};
    for (int f = 0; f < 1500; ++f) {
      trial.functions.push_back(some);
      trial.functions.back().function = "a_function_with_a_long_name_" + std::to_string(f);
    }
    run.trials.push_back(std::move(trial));
  }
  make(run);
  EXPECT_LT(page_.size(), 5'000'000U);
  if (run_program("command -v chromium").code != 0) return;
  // By the browser's own clock; a second is asked for on a computer that does nothing else.
  const std::string elements = browser("--timeout=20000 --dump-dom").out;
  std::smatch first_picture;
  ASSERT_TRUE(std::regex_search(elements, first_picture, std::regex("data-first-picture-ms=\"([0-9]+)\"")));
  RecordProperty("first_picture_ms", first_picture[1]);
  EXPECT_LT(std::stoi(first_picture[1]), 5'000);
}

}  // namespace
}  // namespace vtax
