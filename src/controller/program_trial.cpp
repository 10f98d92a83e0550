#include "controller/program_trial.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "controller/trial_result.h"
#include "workload/measure/side_report_reader.h"
#include "workload/orders/programs_time.h"

namespace vtax::controller {
namespace {

using std::chrono::nanoseconds;
using ProgramClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kNoPatienceLeft{1};  // zero would be for ever

struct ProgramPair {
  std::string name;
  End *server, *client;  // without a server both the system
  int client_cpu = 0, server_cpu = 0;
};

std::vector<ProgramPair> program_pairs(const TrialPlan& plan, Bench& bench, const Setup& setup) {
  std::vector<ProgramPair> pairs;
  const auto add = [&](End& system, End& peer) {
    const int guest = static_cast<int>(pairs.size()) + 1;
    const bool alone = plan.server.empty();
    const bool serves = alone || !guest_initiates(plan, guest);
    End& server = serves ? system : peer;
    End& client = alone || !serves ? system : peer;
    const auto cpu_of = [&](const End& end) { return &end == &system ? setup.system_cpu : setup.peer_cpu; };
    pairs.push_back({system.name, &server, &client, cpu_of(client), cpu_of(server)});
  };
  add(bench.system, bench.peer);
  for (EndPair& more : bench.more) add(more.system, more.peer);
  return pairs;
}

std::string with_address(std::string command, const End& server) {
  constexpr std::string_view kPlace = "{server}";
  const std::string& address = server.known_as.empty() ? server.ipv4 : server.known_as;
  for (std::size_t at = 0; (at = command.find(kPlace, at)) != std::string::npos; at += address.size())
    command.replace(at, kPlace.size(), address);
  return command;
}

struct ProgramSpan {
  nanoseconds lead{}, trail{};
  bool window = false, traced = false;
  bool tells = false;  // the controller, of its marks
};

Result<> tell_run(const TrialPlan& plan, const ProgramPair& pair, const ProgramSpan& span) {
  return pair.client->client->tell(
      {{"do", "program-run"},
       {"command", with_address(plan.client, *pair.server)},
       {"user", plan.user},
       {"operations", plan.operations},
       {"limit_ns", nanoseconds(std::chrono::seconds(plan.limit_seconds)).count()},
       {"window", span.window},
       {"marks", plan.marks_window},
       {"tells", span.tells},
       {"traced", span.traced},
       {"lead_ns", span.lead.count()},
       {"trail_ns", span.trail.count()}});
}

// Passed on as they are: the host side, which trusts no guest, reads them.
Result<> add_mapped(const JsonFields& answer, const End& end, int cpu, nlohmann::json& all) {
  constexpr std::size_t kMost = 256;
  const auto mapped = answer.array("mapped", kMost);
  if (!mapped) return fail(mapped.error());
  for (nlohmann::json code : *mapped) {
    if (!code.is_object()) return fail(answer.bad("'mapped' has something else than objects"));
    code["domain"] = end.in_guest ? end.name : "";
    code["cpu"] = end.in_guest ? -1 : cpu;
    all.push_back(std::move(code));
  }
  return {};
}

// All programs' together, as a message has them, which may have 1 MiB.
constexpr std::size_t kMostRunTimeBytes = 512 << 10;

// Likewise.
Result<> add_run_time_names(const JsonFields& answer, std::size_t most_bytes, const End& end, int cpu,
                            nlohmann::json& all) {
  auto functions = answer.text("functions", most_bytes);
  if (!functions) return fail(functions.error());
  const auto left_out = answer.number("left_out", 0, ~std::uint64_t{0});
  if (!left_out) return fail(left_out.error());
  if (functions->empty() && *left_out == 0) return {};
  all.push_back({{"domain", end.in_guest ? end.name : ""},
                 {"cpu", end.in_guest ? -1 : cpu},
                 {"functions", std::move(*functions)},
                 {"left_out", *left_out}});
  return {};
}

constexpr std::uint64_t kMostNs = std::uint64_t{1} << 62;

Result<> add_client(const JsonFields& answer, nlohmann::json& all) {
  const auto client = answer.object("client");
  if (!client) return fail(client.error());
  nlohmann::json used;
  for (const char* name : {"process", "user_ns", "system_ns"}) {
    const auto value = client->number(name, 0, kMostNs);
    if (!value) return fail(value.error());
    used[name] = *value;
  }
  all.push_back(std::move(used));
  return {};
}

// Programs of User Mode Linux are processes, and those of no guest, too: their time is in the books.
bool says_its_time(const MeteredProcess& process) {
  return process.role == MeteredProcess::Role::emulator || process.role == MeteredProcess::Role::kvm;
}

class ProgramTrial {
 public:
  ProgramTrial(const TrialPlan& plan, Bench& bench, const Setup& setup, std::chrono::milliseconds settle,
               const WindowHooks& hooks)
      : plan_(plan), pairs_(program_pairs(plan, bench, setup)), settle_(settle), hooks_(hooks) {
    // Beyond what the machine itself says when the program takes too long.
    patience_ = 2 * std::chrono::seconds(plan.limit_seconds) + std::chrono::seconds(30);
    guests_say_ = hooks.before && std::any_of(bench.processes.begin(), bench.processes.end(), says_its_time);
    said_before_.resize(pairs_.size());
    said_after_.resize(pairs_.size());
  }

  Result<nlohmann::json> run(ProgramLook look) {
    const bool looks = look == ProgramLook::all;
    if (Result<> prepared = prepare(); !prepared) return fail(prepared.error());
    if (Result<> ready = start_servers(); !ready) return fail(ready.error());
    if (Result<> warm = warm_up(looks); !warm) return fail(warm.error());
    // While its client runs a guest hears no order, and until then nothing goes on in it.
    if (!reads_at_marks())
      if (Result<> asked = ask_guests(said_before_, true); !asked) return fail(asked.error());
    // All begin together, long after the last order. Who ends keeps silent for longer than the others can
    // take if their work is alike.
    const nanoseconds asking = guests_say_ ? 4 * settle_ : settle_ / 2;  // before their begin
    const auto begin = ProgramClock::now() + 2 * settle_ + std::max<nanoseconds>(asking, settle_);
    for (const ProgramPair& pair : pairs_) {
      const auto lead = std::max<nanoseconds>(begin - ProgramClock::now(), settle_ / 4);
      if (Result<> told = tell_run(plan_, pair, {lead, 3 * settle_, true, false, reads_at_marks()}); !told)
        return fail(told.error());
    }
    if (reads_at_marks()) {
      if (Result<> seen = read_at_marks(); !seen) return fail(seen.error());
    } else if (hooks_.before) {
      std::this_thread::sleep_until(begin - asking);
      if (Result<> asked = ask_guests(said_before_, false); !asked) return fail(asked.error());
      if (Result<> seen = hooks_.before(); !seen) return fail(seen.error());
      if (guests_say_ && ProgramClock::now() >= begin)
        return fail(Error{"read the books before the work",
                          "this computer is so busy that guests answered when it had begun already",
                          "run it again when the computer has less to do", ExitCode::trial_failed});
    }
    TrialResult done;
    std::string output;
    nlohmann::json clients = nlohmann::json::array();
    for (const ProgramPair& pair : pairs_) {
      const auto answer = answer_of(pair, "done", patience_);
      if (!answer) return fail(answer.error());
      const auto fields = answer->object("side");
      if (!fields) return fail(fields.error());
      const auto side = read_side_report(*fields);
      if (!side) return fail(side.error());
      done.add(pair.name, *side);
      if (hooks_.after && !reads_at_marks() && !pair.client->in_guest)
        if (Result<> added = add_client(*answer, clients); !added) return fail(added.error());
      if (&pair != &pairs_.front()) continue;
      auto text = answer->text("output", JsonFields::kMostBytes);
      if (!text) return fail(text.error());
      output = std::move(*text);
    }
    if (hooks_.after && !reads_at_marks())
      if (Result<> seen = read_after(); !seen) return fail(seen.error());
    nlohmann::json run_time = nlohmann::json::array();
    if (look != ProgramLook::none)
      if (Result<> seen = see_run_time_names(run_time); !seen) return fail(seen.error());
    if (Result<> ended = end_servers(); !ended) return fail(ended.error());
    nlohmann::json result = done.to_json();
    if (hooks_.after) {
      result["clients"] = clients;
      for (std::size_t i = 0; i < pairs_.size() && guests_say_; ++i) {
        const ProgramsShare used = programs_share(said_before_[i], said_after_[i]);
        result["systems_user_ns"].push_back(used.user.count());
        result["systems_kernel_ns"].push_back(used.kernel.count());
      }
    }
    result["output"] = output;
    if (looks) result["mapped"] = mapped_;
    if (!run_time.empty()) result["run_time"] = std::move(run_time);
    return result;
  }

 private:
  Result<> prepare() {
    if (plan_.prepare.empty()) return {};
    for (const ProgramPair& pair : pairs_) {
      const auto done = pair.server->client->ask(
          {{"do", "program-prepare"},
           {"command", plan_.prepare},
           {"user", plan_.user},
           {"limit_ns", nanoseconds(std::chrono::seconds(plan_.limit_seconds)).count()}},
          patience_);
      if (!done) return fail(done.error());
    }
    return {};
  }

  Result<> start_servers() {
    if (plan_.server.empty()) return {};
    for (const ProgramPair& pair : pairs_) {
      const auto ready = pair.server->client->ask(
          {{"do", "program-serve"},
           {"command", plan_.server},
           {"user", plan_.user},
           {"ready", plan_.ready},
           {"limit_ns", nanoseconds(std::chrono::seconds(plan_.limit_seconds)).count()}},
          patience_);
      if (!ready) return fail(ready.error());
    }
    return {};
  }

  [[nodiscard]] bool reads_at_marks() const { return plan_.marks_window && hooks_.before; }

  // Nobody goes on from a mark before everybody has come to it, so that in the window is what all do between
  // their marks, and nothing else.
  Result<> read_at_marks() {
    Result<> done = wait_for_all("begun");
    if (done) done = ask_guests(said_before_, true);
    if (done) done = ask_guests(said_before_, false);
    if (done) done = hooks_.before();
    if (done) done = tell_all_to_go_on();
    if (done) done = wait_for_all("ended");
    if (done) done = read_after();
    if (done) done = tell_all_to_go_on();
    return done;
  }

  Result<> wait_for_all(std::string_view state) {
    std::vector<const ProgramPair*> running;
    std::vector<const EndpointClient*> clients;
    for (const ProgramPair& pair : pairs_) {
      running.push_back(&pair);
      clients.push_back(pair.client->client);
    }
    while (!running.empty()) {
      // Where nobody says anything, the first one's silence is the error.
      const auto news = EndpointClient::first_with_news(clients, patience_);
      const auto next = static_cast<std::ptrdiff_t>(news.value_or(0));
      const auto told =
          answer_of(*running[static_cast<std::size_t>(next)], state, news ? patience_ : kNoPatienceLeft);
      if (!told) return fail(told.error());
      running.erase(running.begin() + next);
      clients.erase(clients.begin() + next);
    }
    return {};
  }

  Result<> tell_all_to_go_on() {
    for (const ProgramPair& pair : pairs_)
      if (Result<> told = pair.client->client->tell({{"do", "go-on"}}); !told) return told;
    return {};
  }

  Result<> read_after() {
    Result<> done = hooks_.after();
    if (done) done = ask_guests(said_after_, true);
    if (done) done = ask_guests(said_after_, false);
    return done;
  }

  // What guests say that divide their time themselves (QEMU's): those that run clients, or servers.
  Result<> ask_guests(std::vector<ProgramsTime>& said, bool with_client) {
    for (std::size_t i = 0; i < pairs_.size() && guests_say_; ++i) {
      const End& guest = with_client ? *pairs_[i].client : *pairs_[i].server;
      if (!guest.in_guest || pairs_[i].client->in_guest != with_client) continue;
      const auto answer = guest.client->ask({{"do", "program-time"}}, patience_);
      if (!answer) return fail(answer.error());
      const auto user = answer->number("user_ns", 0, kMostNs), own = answer->number("own_ns", 0, kMostNs),
                 kernel = answer->number("kernel_ns", 0, kMostNs);
      for (const auto* part : {&user, &own, &kernel})
        if (!*part) return fail(part->error());
      said[i] = {nanoseconds(*user), nanoseconds(*own), nanoseconds(*kernel)};
    }
    return {};
  }

  // What a client failed of is often what its server said.
  Result<JsonFields> answer_of(const ProgramPair& pair, std::string_view state, nanoseconds patience) {
    auto answer = pair.client->client->wait_for(state, patience);
    if (answer || plan_.server.empty()) return answer;
    Error error = answer.error();
    if (const auto ended = pair.server->client->ask({{"do", "program-end"}}, patience_); !ended)
      error.why += "; the server: " + ended.error().why;
    return fail(std::move(error));
  }

  Result<> warm_up(bool looks) {
    if (!plan_.warms_up) return {};
    for (const ProgramPair& pair : pairs_) {
      if (Result<> told = tell_run(plan_, pair, {{}, {}, false, looks}); !told) return told;
      const auto warm = answer_of(pair, "done", patience_);
      if (!warm) return fail(warm.error());
      if (!looks) continue;
      if (Result<> added = add_mapped(*warm, *pair.client, pair.client_cpu, mapped_); !added) return added;
      if (plan_.server.empty()) continue;
      const auto serving = pair.server->client->ask({{"do", "program-mapped"}}, patience_);
      if (!serving) return fail(serving.error());
      if (Result<> added = add_mapped(*serving, *pair.server, pair.server_cpu, mapped_); !added) return added;
    }
    return {};
  }

  // Whether no other program runs on the end's kernel. Each guest has one of its own.
  [[nodiscard]] bool is_alone(const End& end) const {
    if (end.in_guest) return true;
    std::size_t programs = 0;
    for (const ProgramPair& pair : pairs_) {
      if (!pair.client->in_guest) ++programs;
      if (!plan_.server.empty() && !pair.server->in_guest) ++programs;
    }
    return programs == 1;
  }

  // What clients and servers made in the window itself.
  Result<> see_run_time_names(nlohmann::json& all) {
    const std::size_t programs = pairs_.size() * (plan_.server.empty() ? 1 : 2);
    const std::size_t most_bytes = kMostRunTimeBytes / programs;
    const auto see = [&](const char* whose, const End& end, int cpu) -> Result<> {
      const auto answer = end.client->ask({{"do", "program-run-time"},
                                           {"whose", whose},
                                           {"alone", is_alone(end)},
                                           {"most_bytes", most_bytes}},
                                          patience_);
      return answer ? add_run_time_names(*answer, most_bytes, end, cpu, all) : Result<>(fail(answer.error()));
    };
    for (const ProgramPair& pair : pairs_) {
      Result<> seen = see("client", *pair.client, pair.client_cpu);
      if (seen && !plan_.server.empty()) seen = see("server", *pair.server, pair.server_cpu);
      if (!seen) return seen;
    }
    return {};
  }

  Result<> end_servers() {
    if (plan_.server.empty()) return {};
    for (const ProgramPair& pair : pairs_)
      if (const auto ended = pair.server->client->ask({{"do", "program-end"}}, patience_); !ended)
        return fail(ended.error());
    return {};
  }

  const TrialPlan& plan_;
  std::vector<ProgramPair> pairs_;
  std::chrono::milliseconds settle_;
  WindowHooks hooks_;
  nanoseconds patience_{};
  nlohmann::json mapped_ = nlohmann::json::array();
  bool guests_say_ = false;
  std::vector<ProgramsTime> said_before_, said_after_;  // of each pair's guest
};

}  // namespace

Result<nlohmann::json> run_program_trial(const TrialPlan& plan, Bench& bench, const Setup& setup,
                                         ProgramLook look, std::chrono::milliseconds settle,
                                         const WindowHooks& hooks) {
  return ProgramTrial(plan, bench, setup, settle, hooks).run(look);
}

}  // namespace vtax::controller
