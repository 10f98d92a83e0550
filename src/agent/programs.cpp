#include "agent/programs.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/program.h"
#include "platform/links.h"
#include "platform/placement.h"
#include "workload/measure/marker.h"

namespace vtax::agent {
namespace {

constexpr std::size_t kMostWords = 64, kMostWordBytes = 1024;
constexpr std::size_t kMostOutputBytes = 256 << 10;
constexpr std::size_t kLastWordsBytes = 300;
constexpr std::chrono::milliseconds kServerBegins{1000};
constexpr char kClientOutput[] = "/tmp/client.out", kServerOutput[] = "/tmp/server.out";

Result<std::vector<std::string>> words(const JsonFields& plan, const char* key) {
  const auto array = plan.array(key, kMostWords);
  if (!array) return fail(array.error());
  std::vector<std::string> out;
  for (const nlohmann::json& word : *array) {
    if (!word.is_string() || word.get_ref<const std::string&>().size() > kMostWordBytes)
      return fail(plan.bad(fmt::format("'{}' has something else than words", key)));
    out.push_back(word.get<std::string>());
  }
  if (out.empty() || !out.front().starts_with('/'))
    return fail(plan.bad(fmt::format("'{}' does not begin with a program's path", key)));
  return out;
}

// A process with its output in a file; it ends with this object.
class Started {
 public:
  static Result<Started> start(const std::vector<std::string>& arguments, const char* output, int cpu) {
    const Result<pid_t> child = start_program(arguments, output);
    if (!child) return fail(child.error());
    Started started(*child);
    if (Result<> pinned = pin(*child, cpu); !pinned) return fail(pinned.error());
    return started;
  }

  explicit Started(pid_t process) : process_(process) {}
  Started(Started&& other) noexcept : process_(std::exchange(other.process_, -1)) {}
  Started& operator=(Started&&) = delete;
  ~Started() {
    if (process_ < 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

  // Its status; an error when the time is over.
  Result<int> wait(std::chrono::nanoseconds limit) {
    const Result<int> status = wait_for_program(process_, "the client", limit);
    if (status) process_ = -1;
    return status;
  }

 private:
  pid_t process_;
};

std::string text_of(const char* file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > kMostOutputBytes) text.resize(kMostOutputBytes);
  return text;
}

Error failed(std::string why) {
  std::string said = text_of(kClientOutput) + text_of(kServerOutput);
  if (said.size() > kLastWordsBytes) said.erase(0, said.size() - kLastWordsBytes);
  return {"run the client", why + "; the last words: " + said, "", ExitCode::trial_failed};
}

}  // namespace

Result<Programs> programs_from(const JsonFields& plan) {
  Programs programs;
  auto client = words(plan, "client");
  if (!client) return fail(client.error());
  programs.client = std::move(*client);
  if (plan.has("marks")) {
    const auto marks = plan.boolean("marks");
    if (!marks) return fail(marks.error());
    programs.marks = *marks;
  }
  if (!plan.has("server")) return programs;
  auto server = words(plan, "server");
  if (!server) return fail(server.error());
  programs.server = std::move(*server);
  return programs;
}

Result<nlohmann::json> run_programs(const Programs& programs, std::chrono::nanoseconds limit) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  if (Result<> up = links->set_up("lo"); !up) return fail(up.error());
  lab_ports::close();
  std::optional<Started> server;
  if (!programs.server.empty()) {
    auto started = Started::start(programs.server, kServerOutput, lab::kDriverCpu);
    if (!started) return fail(started.error());
    server.emplace(std::move(*started));
    std::this_thread::sleep_for(kServerBegins);
  }
  const auto began = std::chrono::steady_clock::now();
  if (programs.marks) marker::begin_window();
  auto client = Started::start(programs.client, kClientOutput, lab::kInsideSystemCpu);
  if (!client) return fail(client.error());
  const Result<int> status = client->wait(limit);
  if (programs.marks) marker::end_window();
  const auto duration = std::chrono::steady_clock::now() - began;
  server.reset();
  if (Result<> opened = lab_ports::open(); !opened) return fail(opened.error());
  if (!status) return fail(failed(status.error().why));
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0) return fail(failed("it failed"));
  return nlohmann::json{{"window_virtual_ns", std::chrono::nanoseconds(duration).count()},
                        {"work", {{"bytes", 0}, {"packets", 0}, {"transactions", 0}}},
                        {"devices", nlohmann::json::array()},
                        {"output", text_of(kClientOutput)}};
}

}  // namespace vtax::agent
