#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

#include "tests/program.h"
#include "watch/listen/metrics_listener.h"
#include "watch/screen/testing/terminal_process.h"
#include "watch/show/metrics.h"
#include "watch/show/testing/readings.h"

// `vtax top` from outside, of this computer; and what it serves, read by the programs that it is for.
namespace vtax {
namespace {

using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string content_of(const std::filesystem::path& file) {
  const std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vtax-top-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// A program that runs beside the test, its output in files.
class Beside {
 public:
  Beside(const std::string& command, const std::string& out, const std::string& err) : err_(err) {
    process_ = fork();
    if (process_ != 0) return;
    const auto into = [](const std::string& file, int fd) {
      dup2(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), fd);
    };
    into(out, 1);
    into(err, 2);
    execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
    _exit(127);
  }
  ~Beside() {
    if (process_ > 0) (void)end(SIGKILL);
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  int end(int signal) {
    int status = 0;
    kill(process_, signal);
    waitpid(process_, &status, 0);
    process_ = -1;
    return status;
  }
  // The first group of a pattern in what it wrote to standard error within 20 s.
  [[nodiscard]] std::string said(const std::string& pattern) const {
    for (int i = 0; i < 200; ++i) {
      const std::string text = content_of(err_);
      std::smatch found;
      if (std::regex_search(text, found, std::regex(pattern))) return found[1];
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return "";
  }

 private:
  std::string err_;
  pid_t process_ = -1;
};

TEST(Top, PrintsAsManyTablesAsAskedFor) {
  const auto done = run_program(VTAX_PROGRAM " top -b -i 2 -d 0.1");
  ASSERT_EQ(done.code, 0) << done.err;
  const auto lines = lines_of(done.out);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(), [](const auto& l) { return l.starts_with("GUEST"); }),
            2);
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(), [](const auto& l) { return l.ends_with("all CPUs' time"); }),
      2);
  std::map<std::string, int> missing;
  for (const auto& line : lines)
    if (line.starts_with("missing: ")) ++missing[line];
  for (const auto& [line, times] : missing) EXPECT_EQ(times, 1) << line;
}

TEST(Top, JsonAndCsvAddUp) {
  const auto json = run_program(VTAX_PROGRAM " top --json -i 3 -d 0.1");
  ASSERT_EQ(json.code, 0) << json.err;
  const auto lines = lines_of(json.out);
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto reading = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(reading["number"], i + 1);
    std::uint64_t sum = 0;
    for (const auto& guest : reading["guests"]) {
      sum += guest["own_ns"].get<std::uint64_t>();
      for (const auto& part : guest["caused"]) sum += part.get<std::uint64_t>();
    }
    for (const auto& part : reading["other"]) sum += part.get<std::uint64_t>();
    EXPECT_EQ(sum, reading["all_cpus_ns"]);
  }
  const auto csv = run_program(VTAX_PROGRAM " top --csv -i 2 -d 0.1");
  const auto rows = lines_of(csv.out);
  EXPECT_EQ(
      std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.starts_with("number,"); }), 1);
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const auto& r) { return r.find(",idle,") != r.npos; }),
            2);
}

TEST(Top, SaysWhatIsWrongWithAQuestion) {
  for (const auto& [arguments, code, said] : std::vector<std::tuple<std::string, int, std::string>>{
           {"", 2, "the standard output is no terminal\n  `vtax top -b`"},
           {"-b -d 0", 2, "cannot read every '0' seconds"},
           {"-b --sort cpu", 2, "cannot sort by 'cpu'"},
           {"-b --sort recieved", 2, "did you mean 'received'?"},
           {"--json --filter web", 2, "cannot use --filter with --json"},
           {"--csv --once web", 2, "cannot use --once with --csv"},
           {"-b -i 0", 2, "not in range"},
           {"-b --charge time", 2, "--charge"},
           {"--json --csv", 2, "excludes"},
           {"--once no-such-guest", 2, "no guest here is named 'no-such-guest'"},
           {"--listen nonsense", 2, "cannot listen on 'nonsense'"},
           {"--out /nonexistent/x.vtax", 5, "cannot write recording /nonexistent/x.vtax"}}) {
    const auto done = run_program(VTAX_PROGRAM " top " + arguments + " </dev/null");
    EXPECT_EQ(done.code, code) << arguments;
    EXPECT_THAT(done.err, HasSubstr(said)) << arguments;
    EXPECT_EQ(done.out, "") << arguments;
  }
}

// Until something is in the file: the program runs, and knows what to do about signals.
void wait_for_output(const std::string& file) {
  for (int i = 0; i < 400 && content_of(file).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_FALSE(content_of(file).empty());
}

TEST(Top, CtrlCEndsItCleanly) {
  const Folder folder;
  Beside endless(VTAX_PROGRAM " top --json -d 0.1", folder / "json", folder / "err");
  wait_for_output(folder / "json");
  int status = endless.end(SIGINT);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  for (const std::string& line : lines_of(content_of(folder / "json")))
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;  // and none is cut off
  Beside unfinished(VTAX_PROGRAM " top -b -i 1000 -d 0.1", folder / "table", folder / "err");
  wait_for_output(folder / "table");
  status = unfinished.end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
}

TEST(Top, IsAScreenOnATerminal) {
  watch::TerminalProcess process(80, 24,
                                 [] { return execl(VTAX_PROGRAM, "vtax", "top", "-d", "0.2", nullptr); });
  ASSERT_TRUE(process.shows("all CPUs' time")) << process.xterm().text();
  process.type("1");
  EXPECT_TRUE(process.shows("GUESTS%  CAUSED%")) << process.xterm().text();
  process.resize(20, 5);
  EXPECT_TRUE(process.until([&] { return process.xterm().line(1).starts_with("CPU"); }))
      << process.xterm().text();
  process.resize(80, 24);
  EXPECT_TRUE(process.shows("q quit"));
  process.type("q");
  EXPECT_EQ(process.end(), 0);
  EXPECT_TRUE(process.is_as_before());
  EXPECT_EQ(process.xterm().unknown(), "");
}

TEST(Top, RecordsForReportAndCompare) {
  const Folder folder;
  const std::string file = folder / "r.vtax";
  const auto done = run_program(VTAX_PROGRAM " top -i 5 -d 0.1 --out " + file);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "");
  const auto table = run_program(VTAX_PROGRAM " report " + file);
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("A recording of `vtax top`: 5 readings"));
  EXPECT_THAT(table.out, HasSubstr("They add up to all CPUs' time"));
  const auto json = run_program(VTAX_PROGRAM " report --format ndjson " + file);
  EXPECT_EQ(lines_of(json.out).size(), 5U);
  const auto compared = run_program(VTAX_PROGRAM " compare " + file + " " + file);
  EXPECT_EQ(compared.code, 0) << compared.err;
  EXPECT_THAT(compared.out, HasSubstr("A, 5 readings; B, 5 readings"));
  for (const auto& [arguments, said] : std::vector<std::pair<std::string, std::string>>{
           {" report --format html " + file, "recordings: --format table, ndjson"},
           {" compare --fail-above 2% " + file + " " + file, "no repetitions"},
           {" top -i 1 -d 0.1 --out " + file, "it exists already"},
           {" run --resume " + file, "it is a recording of `vtax top`"}}) {
    const auto refused = run_program(VTAX_PROGRAM + arguments);
    EXPECT_EQ(refused.code, 2) << arguments;
    EXPECT_THAT(refused.err, HasSubstr(said)) << arguments;
  }
}

bool has_prometheus() {
  return run_program(
             "command -v prometheus && /usr/bin/python3 -c 'import prometheus_client.openmetrics.parser'")
             .code == 0;
}

// What Prometheus answers to a query; empty: nothing within 20 s.
nlohmann::json asked_of(const std::string& address, const std::string& query, std::size_t least) {
  const std::string script =
      "/usr/bin/python3 -c 'import sys,urllib.request,urllib.parse as p; "
      "print(urllib.request.urlopen(\"http://" +
      address + "/api/v1/query?query=\" + p.quote(sys.argv[1])).read().decode())' '" + query + "'";
  for (int i = 0; i < 40; ++i) {
    const auto answer = run_program(script);
    if (answer.code == 0) {
      auto result = nlohmann::json::parse(answer.out)["data"]["result"];
      if (result.size() >= least) return result;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  return nlohmann::json::array();
}

// A Prometheus that scrapes this port every second; its address.
std::unique_ptr<Beside> prometheus_of(const Folder& folder, const std::string& port, std::string& address) {
  std::ofstream(folder / "prometheus.yml") << "global: {scrape_interval: 1s}\nscrape_configs:\n"
                                              "- {job_name: vtax, static_configs: [{targets: ['127.0.0.1:" +
                                                  port + "']}]}\n";
  auto beside = std::make_unique<Beside>("prometheus --config.file=" + (folder / "prometheus.yml") +
                                             " --storage.tsdb.path=" + (folder / "data") +
                                             " --web.listen-address=127.0.0.1:0",
                                         folder / "prometheus.out", folder / "prometheus.err");
  address = beside->said("Listening on\" address=(127\\.0\\.0\\.1:[0-9]+)");
  return beside;
}

TEST(Top, APrometheusScrapesIt) {
  if (!has_prometheus())
    GTEST_SKIP() << "Prometheus is missing: apt-get install prometheus python3-prometheus-client";
  const Folder folder;
  Beside top(VTAX_PROGRAM " top -d 0.2 --listen 127.0.0.1:0", folder / "out", folder / "err");
  const std::string port = top.said("metrics on http://127\\.0\\.0\\.1:([0-9]+)/metrics");
  ASSERT_NE(port, "") << content_of(folder / "err");
  std::string address;
  const auto prometheus = prometheus_of(folder, port, address);
  ASSERT_NE(address, "") << content_of(folder / "prometheus.err");
  const auto parts = asked_of(address, "vtax_other_cpu_seconds_total", 6);
  EXPECT_EQ(parts.size(), 6U);
  const auto readings = asked_of(address, "vtax_readings_total > 3", 1);
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(content_of(folder / "out"), "");
  // The port is taken now.
  const auto second = run_program(VTAX_PROGRAM " top --listen 127.0.0.1:" + port);
  EXPECT_EQ(second.code, 3);
  EXPECT_THAT(second.err, HasSubstr("choose another port"));
  EXPECT_EQ(WEXITSTATUS(top.end(SIGTERM)), 0);
}

// Guests made by hand, one with a name that no label holds as it is.
TEST(Top, GuestsOfAReadingReachPrometheusAndItsParser) {
  if (!has_prometheus())
    GTEST_SKIP() << "Prometheus is missing: apt-get install prometheus python3-prometheus-client";
  const Folder folder;
  watch::Metrics metrics;
  watch::Reading reading = watch::reading_of_two();
  const std::string name = "a\"b\\c\nd";
  reading.guests[0].name = name;
  metrics.take(reading);
  metrics.take(reading);
  std::ostringstream text;
  metrics.write(text);

  std::ofstream(folder / "metrics") << text.str();
  std::ofstream(folder / "parse.py")
      << "import sys, json\n"
         "from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse\n"
         "out = {f.name: [[s.name, s.labels, s.value] for s in f.samples] for f in parse(open(sys.argv[1], "
         "encoding='utf-8', newline='\\n'))}\nprint(json.dumps(out))\n";
  const auto parsed = run_program("/usr/bin/python3 " + (folder / "parse.py") + " " + (folder / "metrics"));
  ASSERT_EQ(parsed.code, 0) << parsed.err << text.str();
  const auto families = nlohmann::json::parse(parsed.out);
  double sum = 0;
  for (const char* family : {"vtax_domain_cpu_seconds", "vtax_other_cpu_seconds"})
    for (const auto& sample : families[family]) sum += sample[2].get<double>();
  EXPECT_NEAR(sum, 4, 1e-9);
  EXPECT_EQ(families["vtax_domain"][0][1]["domain"], name);

  auto listener =
      watch::MetricsListener::open(*watch::parse_listen_address("127.0.0.1:0"), [&] { return text.str(); });
  ASSERT_TRUE(listener) << listener.error().text();
  std::atomic<bool> done = false;
  std::thread serving([&] {
    while (!done) {
      auto waits = listener->waits_for();
      poll(waits.data(), waits.size(), 20);
      listener->serve();
    }
  });
  std::string address;
  {
    const auto prometheus = prometheus_of(folder, std::to_string(listener->port()), address);
    const auto cpu = asked_of(address, "sum by (domain) (vtax_domain_cpu_seconds_total)", 2);
    ASSERT_EQ(cpu.size(), 2U) << content_of(folder / "prometheus.err");
    std::map<std::string, double> of_domains;
    for (const auto& one : cpu)
      of_domains[one["metric"]["domain"]] = std::stod(one["value"][1].get<std::string>());
    EXPECT_NEAR(of_domains["web"], 0.6, 1e-9);
    EXPECT_NEAR(of_domains[name], 0.2, 1e-9);
    EXPECT_EQ(asked_of(address, "vtax_domain_info{kind=\"kvm\"}", 1).size(), 1U);
  }
  done = true;
  serving.join();
}

}  // namespace
}  // namespace vtax
