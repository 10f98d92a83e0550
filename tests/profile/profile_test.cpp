#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "tests/program.h"

// `vtax profile` and `vtax agent` from outside, on this computer.
namespace vtax {
namespace {

using testing::HasSubstr;

const std::string vtax = VTAX_PROGRAM;

// Where sampling is not allowed at all, as in most containers.
bool may_sample() {
  return run_program(vtax + " profile -d 0.1 --format folded").code == 0;
}
#define NEEDS_SAMPLING() \
  if (!may_sample()) GTEST_SKIP() << "this computer lets nobody sample it: see `vtax profile`"

}  // namespace

// Work with a known share of functions: three turns of one to one of the other. A turn is as long as a
// multiplication, wherever the compiler puts the loop.
#define VTAX_TEST_TURNS(number)              \
  std::uint64_t turns = (number), value = 3; \
  asm volatile("1:\n\timul $5, %1, %1\n\tdec %0\n\tjnz 1b" : "+r"(turns), "+r"(value) : : "cc")

extern "C" [[gnu::noinline]] void vtax_test_three_quarters() {
  VTAX_TEST_TURNS(300'000);
}
extern "C" [[gnu::noinline]] void vtax_test_one_quarter() {
  VTAX_TEST_TURNS(100'000);
}

namespace {

class BusyProcess {
 public:
  BusyProcess() {
    process_ = fork();
    if (process_ != 0) return;
    while (true) {
      vtax_test_three_quarters();
      vtax_test_one_quarter();
    }
  }
  ~BusyProcess() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  BusyProcess(const BusyProcess&) = delete;
  BusyProcess& operator=(const BusyProcess&) = delete;

 private:
  pid_t process_;
};

struct Shares {
  double three = 0, one = 0;
};
Shares shares_in(const nlohmann::json& profile, const std::string& domain) {
  Shares shares;
  for (const auto& stack : profile.at("stacks")) {
    if (stack.at("domain") != domain) continue;
    if (stack.at("function") == "vtax_test_three_quarters") shares.three += stack.at("samples").get<double>();
    if (stack.at("function") == "vtax_test_one_quarter") shares.one += stack.at("samples").get<double>();
  }
  return shares;
}

void expect_three_quarters(const Shares& shares) {
  const double all = shares.three + shares.one;
  ASSERT_GT(all, 50);
  // Four standard errors of a share of 0.75, and what turns differ.
  EXPECT_NEAR(shares.three / all, 0.75, 4 * std::sqrt(0.75 * 0.25 / all) + 0.02);
}

class Agent {
 public:
  explicit Agent(const std::string& token) {
    std::string pattern = (std::filesystem::temp_directory_path() / "vtax-agent-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(token_file()) << token << '\n';
    chmod(token_file().c_str(), 0600);
    process_ = fork();
    if (process_ == 0) {
      dup2(open((folder_ / "out").c_str(), O_WRONLY | O_CREAT, 0600), 1);
      execl(vtax.c_str(), "vtax", "agent", "--bind", "127.0.0.1", "--port", "0", "--token-file",
            token_file().c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 200 && port_.empty(); ++i) {
      std::ifstream in(folder_ / "out");
      const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      std::smatch found;
      if (std::regex_search(text, found, std::regex("port (\\d+)"))) port_ = found[1];
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  ~Agent() {
    end();
    std::filesystem::remove_all(folder_);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  void end() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] const std::string& port() const { return port_; }
  [[nodiscard]] std::string token_file() const { return (folder_ / "token").string(); }
  [[nodiscard]] std::string options() const {
    return " --guest away=127.0.0.1:" + port_ + " --token-file " + token_file();
  }

 private:
  std::filesystem::path folder_;
  pid_t process_ = -1;
  std::string port_;
};

bool has_children(pid_t process) {
  const std::string number = std::to_string(process);
  std::ifstream in("/proc/" + number + "/task/" + number + "/children");
  std::string word;
  return static_cast<bool>(in >> word);
}

TEST(Profile, SharesOfFunctionsAreThoseOfTheirWork) {
  NEEDS_SAMPLING();
  const BusyProcess busy;
  const auto result = run_program(vtax + " profile -d 3s --hz 499 --most-cost 50 --format json");
  ASSERT_EQ(result.code, 0) << result.err;
  const auto profile = nlohmann::json::parse(result.out);
  expect_three_quarters(shares_in(profile, "host"));
  std::uint64_t sum = 0;
  for (const auto& stack : profile.at("stacks")) sum += stack.at("samples").get<std::uint64_t>();
  EXPECT_EQ(sum, profile.at("samples").get<std::uint64_t>());
}

TEST(Profile, EveryFormatIsWritten) {
  NEEDS_SAMPLING();
  const BusyProcess busy;
  const std::pair<const char*, const char*> formats[] = {{"table", "Idle: "},
                                                         {"folded", "host;elsewhere;"},
                                                         {"callgrind", "events: Samples"},
                                                         {"firefox", "\"preprocessedProfileVersion\""},
                                                         {"perf-script", "vtax_test_three_quarters ("},
                                                         {"pprof", "\x1f\x8b"}};
  for (const auto& [format, part] : formats) {
    const auto result = run_program(vtax + " profile -d 0.5 --format " + format);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr(part)) << format;
  }
}

TEST(Profile, AnAgentSamplesBesideTheHost) {
  NEEDS_SAMPLING();
  const BusyProcess busy;
  const Agent agent("a-token-of-the-test");
  ASSERT_NE(agent.port(), "");
  const auto result =
      run_program(vtax + " profile -d 3s --hz 199 --most-cost 50 --format json" + agent.options());
  ASSERT_EQ(result.code, 0) << result.err;
  const auto profile = nlohmann::json::parse(result.out);
  expect_three_quarters(shares_in(profile, "away"));
  expect_three_quarters(shares_in(profile, "host"));
}

TEST(Profile, AWrongTokenLeavesTheHostsPart) {
  NEEDS_SAMPLING();
  const Agent agent("a-token-of-the-test");
  const auto result = run_program("VTAX_TOKEN=another-token " + vtax +
                                  " profile -d 0.5 --format json --guest away=127.0.0.1:" + agent.port());
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("away is missing"));
  EXPECT_THAT(result.err, HasSubstr("refuses this token"));
  EXPECT_THAT(nlohmann::json::parse(result.out).at("notes").dump(), HasSubstr("away: its part is missing"));
}

TEST(Profile, AnAgentThatDiesLeavesTheHostsPart) {
  NEEDS_SAMPLING();
  Agent agent("a-token-of-the-test");
  std::thread later([&] {
    for (int i = 0; i < 200 && !has_children(agent.process()); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    agent.end();
  });
  const auto result = run_program(vtax + " profile -d 3s --format json" + agent.options());
  later.join();
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("away is missing"));
  EXPECT_GT(nlohmann::json::parse(result.out).at("seconds").get<double>(), 2.9);
}

TEST(Profile, AKilledClientLeavesNoProfileBehind) {
  NEEDS_SAMPLING();
  const Agent agent("a-token-of-the-test");
  const pid_t client = fork();
  if (client == 0) {
    dup2(open("/dev/null", O_WRONLY), 1);
    execl("/bin/sh", "sh", "-c", ("exec " + vtax + " profile -d 60s" + agent.options()).c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 400 && !has_children(agent.process()); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  EXPECT_TRUE(has_children(agent.process()));
  kill(client, SIGKILL);
  waitpid(client, nullptr, 0);
  for (int i = 0; i < 400 && has_children(agent.process()); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  EXPECT_FALSE(has_children(agent.process()));
}

// A socket that takes connections and says nothing.
class SilentAgent {
 public:
  SilentAgent() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
        listen(listener_, 8) == 0 &&
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0)
      port_ = ntohs(address.sin_port);
  }
  ~SilentAgent() { close(listener_); }
  SilentAgent(const SilentAgent&) = delete;
  SilentAgent& operator=(const SilentAgent&) = delete;
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  int listener_;
  int port_ = 0;
};

TEST(Profile, AgentsAreAskedAtOnce) {
  NEEDS_SAMPLING();
  const SilentAgent one, two, three;
  const auto begun = std::chrono::steady_clock::now();
  const auto result =
      run_program("VTAX_TOKEN=a-token-of-the-test " + vtax +
                  " profile -d 0.1 --format folded --guest a=127.0.0.1:" + one.port() +
                  " --guest b=127.0.0.1:" + two.port() + " --guest c=127.0.0.1:" + three.port());
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("c is missing"));
  // Each is given 5 s.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(12));
}

// A process that says it is QEMU: a guest, as this computer sees it.
class SaidGuest {
 public:
  explicit SaidGuest(const char* name) {
    process_ = fork();
    if (process_ != 0) return;
    execl("/bin/sh", "qemu-system-x86_64", "-c", "while :; do sleep 1; done", "-name", name, nullptr);
    _exit(127);
  }
  ~SaidGuest() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  SaidGuest(const SaidGuest&) = delete;
  SaidGuest& operator=(const SaidGuest&) = delete;

 private:
  pid_t process_;
};

nlohmann::json inside_of(const nlohmann::json& reading, const std::string& name) {
  for (const auto& guest : reading.at("guests"))
    if (guest.at("name") == name) return guest.value("inside", nlohmann::json());
  return {};
}

TEST(Top, AGuestsAgentTellsItsProcesses) {
  const SaidGuest guest("vtax-inside-test");
  const BusyProcess busy;
  Agent agent("a-token-of-the-test");
  ASSERT_NE(agent.port(), "");
  const std::string options = " --guest vtax-inside-test=127.0.0.1:" + agent.port() +
                              " --guest nobody=127.0.0.1:" + agent.port() + " --token-file " +
                              agent.token_file();
  const auto result = run_program(vtax + " top --json -d 0.5 -i 3" + options);
  ASSERT_EQ(result.code, 0) << result.err;
  const auto last =
      nlohmann::json::parse(result.out.substr(result.out.rfind('\n', result.out.size() - 2) + 1));
  const auto inside = inside_of(last, "vtax-inside-test");
  ASSERT_TRUE(inside.contains("processes")) << inside.dump();
  EXPECT_GT(inside.at("tasks").get<int>(), 0);
  bool has_busy = false;
  for (const auto& process : inside.at("processes"))
    has_busy =
        has_busy || (process.at("name") == "profile_test" && process.at("busy_ns").get<double>() > 1e7);
  EXPECT_TRUE(has_busy) << inside.dump();
  EXPECT_THAT(last.at("missing").dump(), HasSubstr("The agent of nobody"));

  agent.end();
  const auto without = run_program(vtax + " top --json -d 0.5 -i 2" + options);
  ASSERT_EQ(without.code, 0) << without.err;
  const auto gone =
      nlohmann::json::parse(without.out.substr(without.out.rfind('\n', without.out.size() - 2) + 1));
  EXPECT_THAT(inside_of(gone, "vtax-inside-test").value("missing", ""), HasSubstr("Connection refused"));
}

TEST(Profile, WhoMayNotSampleIsToldTheCure) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const auto result = run_program("setpriv --reuid 65534 --clear-groups " + vtax + " profile -d 0.1");
  if (result.code == 0) GTEST_SKIP() << "this computer lets everybody sample it";
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("perf_event_paranoid"));
}

TEST(Profile, RefusesWhatMeansNothing) {
  EXPECT_EQ(run_program(vtax + " profile --period 5").code, 2);
  const auto both = run_program(vtax + " profile --event cycles --period 10000000 --hz 99");
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("cannot use --hz with --event cycles"));
  EXPECT_EQ(run_program(vtax + " profile --event cycles").code, 2);
  EXPECT_EQ(run_program(vtax + " profile -d 0").code, 2);
  EXPECT_EQ(run_program(vtax + " agent").code, 2);
}

}  // namespace
}  // namespace vtax
