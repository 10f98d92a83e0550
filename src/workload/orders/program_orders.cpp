#include "workload/orders/program_orders.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "core/process_end.h"
#include "subject/program_text.h"
#include "workload/measure/marker.h"
#include "workload/measure/side_report.h"
#include "workload/orders/marked_window.h"
#include "workload/orders/program_process.h"
#include "workload/orders/programs_time.h"
#include "workload/orders/run_time_names.h"

namespace vtax {
namespace {

constexpr std::uint64_t kLongestProgramNs = 3'600'000'000'000;
constexpr std::chrono::milliseconds kBetweenLooks{20};
constexpr std::size_t kMostSearchedBytes = 4 << 20;
constexpr std::chrono::seconds kBesideLimit{60};

struct ProgramCommand {
  std::vector<std::string> words;
  std::chrono::nanoseconds limit{};
  std::shared_ptr<const ProgramFolder> folder;
};

// That another program left its files in for those that follow; null: each has one of its own.
std::shared_ptr<const ProgramFolder>& prepared_folder() {
  static std::shared_ptr<const ProgramFolder> one;
  return one;
}

Result<ProgramCommand> command_in(const JsonFields& order) {
  const auto text = order.text("command", 2000);
  if (!text) return fail(text.error());
  auto words = words_of(*text);
  if (!words) return fail(order.bad(words.error().why));
  const auto limit = order.number("limit_ns", 1, kLongestProgramNs);
  if (!limit) return fail(limit.error());
  const auto user = order.text("user", 32);
  if (!user) return fail(user.error());
  ProgramCommand command{std::move(*words), std::chrono::nanoseconds(*limit), prepared_folder()};
  if (command.folder != nullptr) return command;
  auto folder = ProgramFolder::make(*user);
  if (!folder) return fail(folder.error());
  command.folder = std::move(*folder);
  return command;
}

nlohmann::json mapped_json(const std::vector<MappedCode>& mapped) {
  nlohmann::json out = nlohmann::json::array();
  for (const MappedCode& code : mapped)
    out.push_back({{"file", code.file},
                   {"called", code.called},
                   {"begin", fmt::format("{:#x}", code.begin)},
                   {"end", fmt::format("{:#x}", code.end)},
                   {"offset", fmt::format("{:#x}", code.offset)}});
  return out;
}

// One endpoint is one process.
std::optional<ProgramProcess>& server_program() {
  static std::optional<ProgramProcess> one;
  return one;
}

// The first process of the client that ran last.
pid_t& last_client() {
  static pid_t process = 0;
  return process;
}

// Whether something listens at the TCP port in this network namespace: nothing is sent to find out.
bool listens(std::uint64_t port) {
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream in(table);
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string number, local, remote, state;
      words >> number >> local >> remote >> state;
      const std::size_t colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) == port) return true;
    }
  }
  return false;
}

Result<> wait_until_ready(ProgramProcess& server, const Ready& ready, const std::string& text,
                          std::chrono::nanoseconds limit) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto is_ready = [&] {
    switch (ready.by) {
      case Ready::By::seconds:
        return Clock::now() - begun >= std::chrono::seconds(ready.number);
      case Ready::By::port:
        return listens(ready.number);
      case Ready::By::output:
        return server.output(kMostSearchedBytes).find(ready.words) != std::string::npos;
    }
    return false;
  };
  while (true) {
    if (!server.is_running())
      return fail({"start the server", server.how_it_ended() + " before it was ready; " + server.last_words(),
                   "", ExitCode::trial_failed});
    if (is_ready()) return {};
    if (Clock::now() - begun > limit)
      return fail({"start the server",
                   fmt::format("after {} s (limit_seconds) it is not ready (\"{}\"); {}",
                               limit / std::chrono::seconds(1), text, server.last_words()),
                   "", ExitCode::trial_failed});
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Result<nlohmann::json> prepare_program(const JsonFields& order) {
  prepared_folder().reset();
  const auto command = command_in(order);
  if (!command) return fail(command.error());
  auto preparing = ProgramProcess::prepare(command->words, command->folder, false);
  if (!preparing) return fail(preparing.error());
  preparing->begin();
  if (Result<> ended = preparing->wait(command->limit); !ended) return fail(ended.error());
  prepared_folder() = command->folder;
  return nlohmann::json{{"state", "done"}};
}

Error how_the_server_ended() {
  return {"keep the server running until the client has ended",
          server_program()->how_it_ended() + "; " + server_program()->last_words(), "",
          ExitCode::trial_failed};
}

// That it dies it tells at once: whoever waits for its client would wait in vain.
Result<nlohmann::json> serve_program(const JsonFields& order, ControlChannel& control) {
  const auto command = command_in(order);
  if (!command) return fail(command.error());
  const auto text = order.text("ready");
  if (!text) return fail(text.error());
  const auto ready = Ready::of(*text);
  if (!ready) return fail(order.bad(ready.error().why));
  control.tell_when({}, {});
  server_program().reset();
  auto started = ProgramProcess::prepare(command->words, command->folder, false);
  if (!started) return fail(started.error());
  started->begin();
  if (Result<> there = wait_until_ready(*started, *ready, *text, command->limit); !there)
    return fail(there.error());
  server_program().emplace(std::move(*started));
  control.tell_when(process_descriptor(server_program()->process()), [] {
    static_cast<void>(server_program()->is_running());  // which asks for its end
    return how_the_server_ended();
  });
  return nlohmann::json{{"state", "done"}};
}

Error with_last_words(Error error, const ProgramProcess& program) {
  error.why += "; " + program.last_words();
  return error;
}

nlohmann::json time_of_programs() {
  const ProgramsTime said = programs_time();
  return {{"state", "done"},
          {"user_ns", said.user.count()},
          {"own_ns", said.own.count()},
          {"kernel_ns", said.kernel.count()}};
}

// Whoever reads the books of the window has read them when he answers, and clients of other systems, which
// are waited for, stand at the same mark. Meanwhile he may ask for the time of programs.
Result<> tell_mark(ControlChannel& control, const char* state, std::chrono::nanoseconds patience) {
  if (Result<> told = control.send({{"state", state}}); !told) return told;
  while (true) {
    const auto order = control.receive(patience);
    if (!order) return fail(order.error());
    const auto what = order->text("do", 32);
    if (!what) return fail(what.error());
    if (*what == "go-on") return {};
    if (*what != "program-time") return fail(order->bad("another order where 'go-on' was due"));
    if (Result<> told = control.send(time_of_programs()); !told) return told;
  }
}

// How long a client has waited for others at its marks; asked while it does so, too.
class WaitAtMarks {
 public:
  using Clock = std::chrono::steady_clock;

  void begin() { since_ = Clock::now().time_since_epoch().count(); }
  void end() {
    waited_ += Clock::now().time_since_epoch().count() - since_;
    since_ = 0;
  }
  [[nodiscard]] std::chrono::nanoseconds so_far() const {
    const Clock::rep since = since_;
    return Clock::duration(waited_ + (since == 0 ? 0 : Clock::now().time_since_epoch().count() - since));
  }

 private:
  std::atomic<Clock::rep> waited_{0}, since_{0};  // 0: it does not wait
};

// What a run of the client is measured by. Nothing of it is marked for the lab in the warm-up.
struct ClientSpan {
  bool marked_for_lab = false;
  ControlChannel* told = nullptr;       // of its begin and its end
  std::chrono::nanoseconds patience{};  // with its answers
  WaitAtMarks waiting = {};
  std::optional<CpuMeter> meter = {};
  std::chrono::steady_clock::time_point begun = {};
  SideReport side = {};

  Result<> begin() {
    if (Result<> heard = wait_at("begun"); !heard) return heard;
    meter.emplace();
    begun = std::chrono::steady_clock::now();
    if (marked_for_lab) marker::begin_window();
    return {};
  }
  Result<> end() {
    if (!meter) return {};  // its begin has failed
    if (marked_for_lab) marker::end_window();
    side.duration = std::chrono::steady_clock::now() - begun;
    side.cpu = meter->since();
    return wait_at("ended");
  }
  Result<> wait_at(const char* mark) {
    if (told == nullptr) return {};
    waiting.begin();
    const Result<> heard = tell_mark(*told, mark, patience);
    waiting.end();
    return heard;
  }
};

// Of the children that this process has waited for.
CpuUse children_time() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto ns_of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  CpuUse use;
  use.user = ns_of(usage.ru_utime);
  use.system = ns_of(usage.ru_stime);
  return use;
}

Result<nlohmann::json> run_client(const JsonFields& order, ControlChannel& control) {
  const auto command = command_in(order);
  if (!command) return fail(command.error());
  const auto operations_text = order.text("operations");
  if (!operations_text) return fail(operations_text.error());
  const auto operations = Operations::of(*operations_text);
  if (!operations) return fail(order.bad(operations.error().why));
  const auto window = order.boolean("window"), marks = order.boolean("marks"), tells = order.boolean("tells"),
             traced = order.boolean("traced");
  if (!window) return fail(window.error());
  if (!marks) return fail(marks.error());
  if (!tells) return fail(tells.error());
  if (!traced) return fail(traced.error());
  if (*tells && !*marks) return fail(order.bad("'tells' without 'marks'"));
  const auto lead = order.number("lead_ns", 0, kLongestProgramNs),
             trail = order.number("trail_ns", 0, kLongestProgramNs);
  if (!lead) return fail(lead.error());
  if (!trail) return fail(trail.error());

  ClientSpan span{*window, *tells ? &control : nullptr, command->limit + kBesideLimit};
  std::unique_ptr<MarkedWindow> own;
  if (*marks) {
    auto opened = MarkedWindow::open({[&] { return span.begin(); }, [&] { return span.end(); }});
    if (!opened) return fail(opened.error());
    own = std::move(*opened);
  }
  const CpuUse earlier = children_time();
  auto client =
      ProgramProcess::prepare(command->words, command->folder, *traced, own ? own->descriptor() : -1);
  if (!client) return fail(client.error());
  last_client() = client->process();
  if (own) own->start();
  ProgramProcess::TimeSoFar waited;
  if (*tells) waited = [&] { return span.waiting.so_far(); };
  std::this_thread::sleep_for(std::chrono::nanoseconds(*lead));
  if (!own)
    if (Result<> begun = span.begin(); !begun) return fail(begun.error());
  client->begin();
  const Result<> ended = client->wait(command->limit, waited);
  const CpuUse spent = children_time();
  if (!own)
    if (Result<> over = span.end(); !over) return fail(over.error());
  if (const Result<> marked = own ? own->finish() : Result<>(); !marked) {
    if (ended) return fail(with_last_words(marked.error(), *client));
    Error error = ended.error();  // either may be why of the other
    error.why = marked.error().why + "; " + error.why;
    return fail(std::move(error));
  }
  if (!ended) return fail(ended.error());
  SideReport& side = span.side;
  side.side = "client";
  const auto done = operations->in(operations->number ? "" : client->output(kMostSearchedBytes));
  if (!done) return fail(with_last_words(done.error(), *client));
  side.transactions = Transactions(*done);
  std::this_thread::sleep_for(std::chrono::nanoseconds(*trail));
  nlohmann::json answer{{"state", "done"},
                        {"side", side.to_json()},
                        {"output", client->output(kKeptOutputBytes)},
                        {"client",
                         {{"process", getpid()},
                          {"user_ns", (spent.user - earlier.user).count()},
                          {"system_ns", (spent.system - earlier.system).count()}}}};
  if (*traced) {
    auto mapped = client->mapped();
    client->name_as_called(mapped);
    answer["mapped"] = mapped_json(mapped);
  }
  return answer;
}

// The session's, of which the server is the first: what it forked executes the same files, or others.
std::vector<MappedCode> mapped_by_session(pid_t session) {
  std::set<MappedCode> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto process = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    if (getsid(process) != session) continue;
    for (MappedCode& code : mapped_code_of(process)) all.insert(std::move(code));
  }
  return {all.begin(), all.end()};
}

Error no_server(const JsonFields& order) {
  return order.bad("there is no server");
}

Result<nlohmann::json> mapped_of_server(const JsonFields& order) {
  if (!server_program()) return fail(no_server(order));
  auto mapped = mapped_by_session(server_program()->process());
  server_program()->name_as_called(mapped);
  return nlohmann::json{{"state", "done"}, {"mapped", mapped_json(mapped)}};
}

Result<nlohmann::json> run_time_names(const JsonFields& order) {
  const auto whose = order.text("whose", 32);
  if (!whose) return fail(whose.error());
  const auto alone = order.boolean("alone");
  if (!alone) return fail(alone.error());
  const auto most_bytes = order.number("most_bytes", 0, JsonFields::kMostBytes);
  if (!most_bytes) return fail(most_bytes.error());
  if (*whose != "client" && *whose != "server")
    return fail(order.bad("'whose' is neither client nor server"));
  if (*whose == "server" && !server_program()) return fail(no_server(order));
  const pid_t first = *whose == "client" ? last_client() : server_program()->process();
  const NewestFunctions functions =
      run_time_names_of([&](pid_t process) { return is_of_program(process, first, *alone); }, *most_bytes);
  return nlohmann::json{
      {"state", "done"}, {"functions", functions.lines()}, {"left_out", functions.left_out()}};
}

Result<nlohmann::json> end_server_program(const JsonFields& order, ControlChannel& control) {
  if (!server_program()) return fail(no_server(order));
  control.tell_when({}, {});
  std::optional<Error> ended;
  if (!server_program()->is_running()) ended = how_the_server_ended();
  server_program().reset();
  prepared_folder().reset();
  if (ended) return fail(*ended);
  return nlohmann::json{{"state", "done"}};
}

}  // namespace

std::optional<Result<nlohmann::json>> obey_program(const std::string& order, const JsonFields& fields,
                                                   ControlChannel& control) {
  if (order == "program-prepare") return prepare_program(fields);
  if (order == "program-serve") return serve_program(fields, control);
  if (order == "program-run") return run_client(fields, control);
  if (order == "program-time") return Result<nlohmann::json>(time_of_programs());
  if (order == "program-mapped") return mapped_of_server(fields);
  if (order == "program-run-time") return run_time_names(fields);
  if (order == "program-end") return end_server_program(fields, control);
  return std::nullopt;
}

}  // namespace vtax
