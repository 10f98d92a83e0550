#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "query/testing/claims_of_synthetic_run.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

// What `vtax report --format` writes, opened by the programs that it is for.
namespace vtax {
namespace {

using testing::HasSubstr;

bool has(const std::string& program) {
  return run_program("command -v " + program).code == 0;
}

// Names with everything that a format may take for its own.
const std::string evil = "a|b;c \"d\" {e=\"f\"} <b>\\n\nnext 1\t`g` *h* # EOF";

Run hostile_run() {
  Run run = synthetic_run();
  run.study = run.question = evil;
  for (Trial& trial : run.trials) {
    trial.factors["offloads"] += evil;
    trial.factors[evil] = evil;
    trial.factors["layer"] = "1";  // a label that a metric has of its own
    trial.functions[0].function = evil;
    trial.functions[0].image = evil;
    trial.ledger.push_back({0, evil, Layer::kernel, Part::none, evil, 1});
  }
  make_failed(run.trials[3], evil);
  return run;
}

class Formats : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    run_ = GetParam() ? hostile_run() : synthetic_run();
    carry_claims(run_, synthetic_claims());
    disk_ = std::make_unique<RunOnDisk>(run_);
  }

  // Writes the run in this format and says where.
  [[nodiscard]] std::string made(const std::string& format, const std::string& more = "") const {
    const std::string file = disk_->file().string() + "." + format;
    const auto done = run_program(VTAX_PROGRAM " report " + disk_->file().string() + " --format " + format +
                                  " -o " + file + " " + more);
    EXPECT_EQ(done.code, 0) << done.err;
    return file;
  }

  [[nodiscard]] static std::string content(const std::string& file) {
    const std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  vtax::Run run_;
  std::unique_ptr<RunOnDisk> disk_;
};

INSTANTIATE_TEST_SUITE_P(, Formats, testing::Values(false, true),
                         [](const auto& of) { return of.param ? "OfHostileNames" : "OfOrdinaryNames"; });

TEST_P(Formats, PprofShowsEveryFunction) {
  const std::string pprof = has("pprof") ? "pprof" : "go tool pprof";
  if (!has("pprof") && !has("go"))
    GTEST_SKIP() << "neither pprof nor `go tool pprof` is here: apt-get install golang-go";
  const Trial& trial = run_.trials[56];
  const std::string file = made("pprof", "--trial 57");
  const auto shown = run_program("HOME=" + file + ".home " + pprof + " -raw " + file);
  ASSERT_EQ(shown.code, 0) << shown.err;
  for (const FunctionCost& cost : trial.functions) {
    EXPECT_THAT(shown.out, HasSubstr(std::to_string(cost.instructions.value) + ": "));
    if (!GetParam()) {
      EXPECT_THAT(shown.out, HasSubstr(cost.function));
    }
  }
  const auto top = run_program("HOME=" + file + ".home " + pprof + " -top -nodefraction=0 " + file);
  EXPECT_THAT(top.out, HasSubstr("Type: instructions"));
  EXPECT_THAT(top.out, HasSubstr("of " + std::to_string(trial.machine_total.value) + " total")) << top.out;
  EXPECT_THAT(top.out, HasSubstr("xenvif_tx_action"));
}

// A parser that takes nothing else than the standard's text.
TEST_P(Formats, OpenMetricsIsWhatItsParserTakes) {
  if (run_program("/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser'").code != 0)
    GTEST_SKIP() << "the parser is missing: apt-get install python3-prometheus-client";
  const std::string file = made("openmetrics");
  const std::string script = file + ".py";
  std::ofstream(script)
      << "import sys, json\n"
         "from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse\n"
         "out = {f.name: [[s.labels, s.value] for s in f.samples] for f in parse(open(sys.argv[1], "
         "encoding='utf-8', newline='\\n'))}\n"
         "print(json.dumps(out))\n";
  const auto parsed = run_program("/usr/bin/python3 " + script + " " + file);
  ASSERT_EQ(parsed.code, 0) << parsed.err << content(file).substr(0, 3000);
  const auto families = nlohmann::json::parse(parsed.out);
  double expected = 0, found = 0;
  for (const auto& sample : families["vtax_window_instructions"]) found += sample[1].get<double>();
  for (const Trial& trial : run_.trials) {
    if (trial.error.empty()) expected += static_cast<double>(trial.machine_total.value);
  }
  if (!GetParam()) {
    EXPECT_DOUBLE_EQ(found, expected);
  }
  EXPECT_GT(found, 0);
  EXPECT_FALSE(families["vtax_tax"].empty());
  EXPECT_EQ(families["vtax_claim_verdict"].size(), 4U);
  if (GetParam()) {
    EXPECT_EQ(families["vtax_run"][0][0]["study"], evil);
    EXPECT_EQ(families["vtax_tax"][0][0]["factor_layer"], "1");
  }
}

// Five starts of a cell of Xen: what its windows show by the machine's clock, in every format.
class MeasuredFormats : public Formats {
 protected:
  void SetUp() override {
    Formats::SetUp();
    const Trial once = synthetic_run().trials[44];  // xen-pv, tcp-rr
    run_.trials.clear();
    for (std::uint64_t start = 0; start < 5; ++start) {
      Trial trial = once;
      trial.index = start;
      trial.repetition = static_cast<int>(start) + 1;
      trial.window_virtual_ns = 1'000'000'000 + start * 1'000'000;
      trial.digest[0] = static_cast<char>('a' + start);
      add_measured(trial);
      run_.trials.push_back(std::move(trial));
    }
    run_.planned_trials = 5;
    disk_ = std::make_unique<RunOnDisk>(run_);
  }
};

INSTANTIATE_TEST_SUITE_P(, MeasuredFormats, testing::Values(false));

TEST_P(MeasuredFormats, OpenMetricsHasRatesLatenciesAndBusyCpus) {
  const std::string text = content(made("openmetrics"));
  const auto value_of = [&](const std::string& metric, const std::string& labels) {
    const std::regex sample("\n" + metric + "\\{[^}]*" + labels + "[^}]*\\} ([0-9.e+-]+)\n");
    std::smatch found;
    EXPECT_TRUE(std::regex_search(text, found, sample)) << metric << " " << labels << "\n" << text;
    return found.empty() ? -1 : std::stod(found[1]);
  };
  // Of windows of 1.000 to 1.004 s the median one is 1.002 s long.
  const double transactions = static_cast<double>(run_.trials[0].work.transactions.value);
  EXPECT_NEAR(value_of("vtax_transactions_per_second", "platform=\"xen-pv\""), transactions / 1.002, 1e-6);
  EXPECT_NEAR(value_of("vtax_transactions_per_second_interval", "bound=\"low\""), transactions / 1.004, 1e-6);
  EXPECT_NEAR(value_of("vtax_transactions_per_second_interval", "bound=\"high\""), transactions, 1e-6);
  EXPECT_NEAR(value_of("vtax_latency_seconds", "percentile=\"50\""), 57.002e-6, 1e-12);
  EXPECT_NEAR(value_of("vtax_latency_seconds", "percentile=\"90\""), 83e-6, 1e-12);
  EXPECT_NEAR(value_of("vtax_latency_seconds", "percentile=\"99.9\""), 190e-6, 1e-12);
  EXPECT_NEAR(value_of("vtax_latency_seconds", "percentile=\"100\""), 251e-6, 1e-12);
  EXPECT_NEAR(value_of("vtax_busy_ratio", "cpu=\"0\",domain=\"Domain-0\""), 0.5, 1e-6);
  EXPECT_NEAR(value_of("vtax_busy_ratio", "cpu=\"2\",domain=\"guest1\""), 0.2, 1e-6);
  // A quarter in 0.9 of the window beside three quarters in all of it.
  const double few = transactions / 4 / 0.9 / 1.002, many = transactions * 3 / 4 / 1.002;
  EXPECT_NEAR(value_of("vtax_guest_transactions_per_second", "guest=\"guest1\""), few, 1e-3);
  EXPECT_NEAR(value_of("vtax_guest_transactions_per_second", "guest=\"guest2\""), many, 1e-3);
  EXPECT_NEAR(value_of("vtax_fairness_ratio", "platform=\"xen-pv\""),
              (few + many) * (few + many) / 2 / (few * few + many * many), 1e-3);
  for (const char* unit : {"# UNIT vtax_transactions_per_second transactions_per_second\n",
                           "# UNIT vtax_latency_seconds seconds\n", "# UNIT vtax_busy_ratio ratio\n"})
    EXPECT_THAT(text, HasSubstr(unit));
  EXPECT_THAT(text, testing::Not(HasSubstr("vtax_payload_bytes_per_second")));  // there is no payload
  if (!has("promtool")) GTEST_SKIP() << "promtool is missing: apt-get install prometheus";
  const auto checked = run_program("promtool check metrics < " + made("openmetrics"));
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
}

TEST_P(MeasuredFormats, CsvAndJsonHaveEachTrials) {
  const std::string csv = content(made("csv-ledger"));
  for (const char* row : {",,,,,window_ns,1000000000\r\n", ",0,Domain-0,,,busy_ns,500000000\r\n",
                          ",2,guest1,,,busy_ns,200000000\r\n", ",,guest1,,,latency_p50_ns,57000\r\n",
                          ",,guest2,,,latency_max_ns,251000\r\n", ",,guest1,,,guest_transactions,125\r\n"})
    EXPECT_THAT(csv, HasSubstr(row));
  const auto json = nlohmann::json::parse(content(made("json")));
  const auto& trial = json["trials"][0];
  EXPECT_DOUBLE_EQ(trial["rate"]["transactions_per_second"], 500);
  EXPECT_DOUBLE_EQ(trial["guests"][0]["transactions_per_second"].get<double>(), 125 / 0.9);
  EXPECT_NEAR(trial["fairness"].get<double>(), 0.8, 0.1);
  EXPECT_EQ(trial["latency_ns"][1]["p99_9"], 190000);
  EXPECT_DOUBLE_EQ(trial["busy"][2]["share"], 0.2);
}

TEST_P(Formats, OpenMetricsPassesPrometheusCheck) {
  if (!has("promtool")) GTEST_SKIP() << "promtool is missing: apt-get install prometheus";
  const std::string file = made("openmetrics");
  const auto checked = run_program("promtool check metrics < " + file);
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
}

TEST_P(Formats, NdjsonIsTheJsonLineByLine) {
  const auto whole = nlohmann::json::parse(content(made("json")));
  std::istringstream lines(content(made("ndjson")));
  std::string line;
  std::vector<nlohmann::json> records;
  while (std::getline(lines, line)) records.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(records.size(), run_.trials.size() + 2);
  EXPECT_EQ(records.front()["record"], "run");
  EXPECT_EQ(records.back()["record"], "end");
  auto joined = records.front();
  joined.update(records.back());
  joined.erase("record");
  for (std::size_t i = 1; i + 1 < records.size(); ++i) {
    EXPECT_EQ(records[i]["record"], "trial");
    records[i].erase("record");
    joined["trials"].push_back(records[i]);
  }
  EXPECT_EQ(joined, whole);
}

TEST_P(Formats, FirefoxProfileHoldsTogether) {
  const auto profile = nlohmann::json::parse(content(made("firefox", "--trial 57")));
  const auto& shared = profile["shared"];
  EXPECT_EQ(profile["meta"]["preprocessedProfileVersion"], 70);
  for (const char* name : {"stackTable", "frameTable", "funcTable", "resourceTable", "nativeSymbols",
                           "sources", "sourceLocationTable"}) {
    for (const auto& [key, column] : shared[name].items()) {
      if (key == "length") continue;
      EXPECT_EQ(column.size(), shared[name]["length"]) << name << '.' << key;
    }
  }
  // Every sample's stack, from its function out, and the sum of what they weigh.
  std::uint64_t sum = 0;
  std::vector<std::string> leaves;
  for (const auto& thread : profile["threads"]) {
    const auto& samples = thread["samples"];
    for (const char* column : {"stack", "weight", "time"})
      EXPECT_EQ(samples[column].size(), samples["length"]);
    for (std::size_t i = 0; i < samples["length"]; ++i) {
      sum += samples["weight"][i].get<std::uint64_t>();
      std::size_t stack = samples["stack"][i], depth = 1;
      const std::size_t func =
          shared["frameTable"]["func"][shared["stackTable"]["frame"][stack].get<std::size_t>()];
      leaves.push_back(shared["stringArray"][shared["funcTable"]["name"][func].get<std::size_t>()]);
      for (std::size_t up; (up = shared["stackTable"]["prefixOffset"][stack]) != 0; ++depth) {
        ASSERT_LE(up, stack);
        stack -= up;
      }
      EXPECT_EQ(depth, 3U);  // layer, image, function; the domain is the thread
    }
  }
  EXPECT_EQ(sum, run_.trials[56].machine_total.value);
  EXPECT_EQ(leaves.size(), run_.trials[56].functions.size());
  EXPECT_THAT(leaves, testing::Contains("xenvif_tx_action"));
}

TEST_P(Formats, MarkdownKeepsForeignTextAsText) {
  const std::string text = content(made("markdown"));
  EXPECT_THAT(text, HasSubstr("| native |"));
  EXPECT_THAT(text, HasSubstr(GetParam() ? "A made-up paper: 0 of 4" : "A made-up paper: 1 of 4"));
  EXPECT_THAT(text, testing::Not(HasSubstr("<b>")));
  // Every row of a table has as many cells as its heading.
  std::istringstream lines(text);
  std::string line;
  std::size_t cells = 0;
  while (std::getline(lines, line)) {
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    if (line.starts_with("| ")) {
      if (cells == 0) cells = bars;
      EXPECT_EQ(bars, cells) << line;
    } else {
      cells = 0;
    }
  }
}

}  // namespace
}  // namespace vtax
