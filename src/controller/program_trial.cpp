#include "controller/program_trial.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>

#include "controller/guests_time.h"
#include "controller/program_looks.h"
#include "controller/program_pairs.h"
#include "controller/trial_result.h"
#include "workload/measure/side_report_reader.h"

namespace vtax::controller {
namespace {

using std::chrono::nanoseconds;
using ProgramClock = std::chrono::steady_clock;
using When = GuestsTime::When;

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

std::int64_t limit_of(const TrialPlan& plan) {
  return nanoseconds(std::chrono::seconds(plan.limit_seconds)).count();
}

Result<> tell_run(const TrialPlan& plan, const ProgramPair& pair, const ProgramSpan& span) {
  return pair.client->client->tell({{"do", "program-run"},
                                    {"command", with_address(plan.client, *pair.server)},
                                    {"user", plan.user},
                                    {"operations", plan.operations},
                                    {"limit_ns", limit_of(plan)},
                                    {"window", span.window},
                                    {"marks", plan.marks_window},
                                    {"tells", span.tells},
                                    {"traced", span.traced},
                                    {"lead_ns", span.lead.count()},
                                    {"trail_ns", span.trail.count()}});
}

Result<> add_client(const JsonFields& answer, nlohmann::json& all) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  const auto client = answer.object("client");
  if (!client) return fail(client.error());
  nlohmann::json used;
  for (const char* name : {"process", "user_ns", "system_ns"}) {
    const auto value = client->number(name, 0, kMost);
    if (!value) return fail(value.error());
    used[name] = *value;
  }
  all.push_back(std::move(used));
  return {};
}

class ProgramTrial {
 public:
  ProgramTrial(const TrialPlan& plan, Bench& bench, const Setup& setup, std::chrono::milliseconds settle,
               const WindowHooks& hooks)
      : plan_(plan),
        pairs_(plan, bench, setup),
        settle_(settle),
        hooks_(hooks),
        guests_time_(pairs_, bench, static_cast<bool>(hooks.before)) {}

  Result<nlohmann::json> run(ProgramLook look) {
    const bool looks = look == ProgramLook::all;
    Result<> done = prepare();
    if (done) done = start_servers();
    if (done) done = warm_up(looks);
    if (done) done = begin_all();
    if (!done) return fail(done.error());
    TrialResult work;
    std::string output;
    nlohmann::json clients = nlohmann::json::array();
    for (const ProgramPair& pair : pairs_) {
      const auto answer = pairs_.answer_of(pair, "done");
      if (!answer) return fail(answer.error());
      const auto fields = answer->object("side");
      if (!fields) return fail(fields.error());
      const auto side = read_side_report(*fields);
      if (!side) return fail(side.error());
      work.add(pair.name, *side);
      if (hooks_.after && !reads_at_marks() && !pair.client->in_guest)
        if (Result<> added = add_client(*answer, clients); !added) return fail(added.error());
      if (&pair != &pairs_[0]) continue;
      auto text = answer->text("output", JsonFields::kMostBytes);
      if (!text) return fail(text.error());
      output = std::move(*text);
    }
    if (hooks_.after && !reads_at_marks())
      if (Result<> seen = read_after(); !seen) return fail(seen.error());
    nlohmann::json run_time;
    if (look != ProgramLook::none) {
      auto seen = run_time_names_of(pairs_);
      if (!seen) return fail(seen.error());
      run_time = std::move(*seen);
    }
    if (Result<> ended = end_servers(); !ended) return fail(ended.error());
    nlohmann::json result = work.to_json();
    if (hooks_.after) {
      result["clients"] = clients;
      guests_time_.add_to(result);
    }
    result["output"] = output;
    if (looks) result["mapped"] = mapped_;
    if (!run_time.empty()) result["run_time"] = std::move(run_time);
    return result;
  }

 private:
  Result<> prepare() {
    if (plan_.prepare.empty()) return {};
    return ask_servers({{"do", "program-prepare"},
                        {"command", plan_.prepare},
                        {"user", plan_.user},
                        {"limit_ns", limit_of(plan_)}});
  }

  Result<> start_servers() {
    if (!pairs_.have_servers()) return {};
    return ask_servers({{"do", "program-serve"},
                        {"command", plan_.server},
                        {"user", plan_.user},
                        {"ready", plan_.ready},
                        {"limit_ns", limit_of(plan_)}});
  }

  Result<> end_servers() { return pairs_.have_servers() ? ask_servers({{"do", "program-end"}}) : Result<>(); }

  // Each, or where the client is alone its system.
  Result<> ask_servers(const nlohmann::json& order) {
    for (const ProgramPair& pair : pairs_)
      if (const auto done = pair.server->client->ask(order, pairs_.patience()); !done)
        return fail(done.error());
    return {};
  }

  Result<> warm_up(bool looks) {
    if (!plan_.warms_up) return {};
    for (const ProgramPair& pair : pairs_) {
      if (Result<> told = tell_run(plan_, pair, {{}, {}, false, looks}); !told) return told;
      const auto warm = pairs_.answer_of(pair, "done");
      if (!warm) return fail(warm.error());
      if (!looks) continue;
      if (Result<> added = add_mapped(pairs_, pair, *warm, mapped_); !added) return added;
    }
    return {};
  }

  // All begin together, long after the last order. Who ends keeps silent for longer than the others can take
  // if their work is alike.
  Result<> begin_all() {
    // While its client runs a guest hears no order, and until then nothing goes on in it.
    if (!reads_at_marks())
      if (Result<> asked = guests_time_.ask_with_clients(When::before); !asked) return asked;
    const nanoseconds asking = guests_time_.is_said() ? 4 * settle_ : settle_ / 2;  // before their begin
    const auto begin = ProgramClock::now() + 2 * settle_ + std::max<nanoseconds>(asking, settle_);
    for (const ProgramPair& pair : pairs_) {
      const auto lead = std::max<nanoseconds>(begin - ProgramClock::now(), settle_ / 4);
      if (Result<> told = tell_run(plan_, pair, {lead, 3 * settle_, true, false, reads_at_marks()}); !told)
        return told;
    }
    if (reads_at_marks()) return read_at_marks();
    if (!hooks_.before) return {};
    std::this_thread::sleep_until(begin - asking);
    if (Result<> asked = guests_time_.ask_with_servers(When::before); !asked) return asked;
    if (Result<> seen = hooks_.before(); !seen) return seen;
    if (guests_time_.is_said() && ProgramClock::now() >= begin)
      return fail(Error{"read the books before the work",
                        "this computer is so busy that guests answered when it had begun already",
                        "run it again when the computer has less to do", ExitCode::trial_failed});
    return {};
  }

  [[nodiscard]] bool reads_at_marks() const { return plan_.marks_window && hooks_.before; }

  // Nobody goes on from a mark before everybody has come to it, so that in the window is what all do between
  // their marks, and nothing else.
  Result<> read_at_marks() {
    Result<> done = pairs_.wait_for_all("begun");
    if (done) done = guests_time_.ask_with_clients(When::before);
    if (done) done = guests_time_.ask_with_servers(When::before);
    if (done) done = hooks_.before();
    if (done) done = tell_all_to_go_on();
    if (done) done = pairs_.wait_for_all("ended");
    if (done) done = read_after();
    if (done) done = tell_all_to_go_on();
    return done;
  }

  Result<> tell_all_to_go_on() {
    for (const ProgramPair& pair : pairs_)
      if (Result<> told = pair.client->client->tell({{"do", "go-on"}}); !told) return told;
    return {};
  }

  Result<> read_after() {
    Result<> done = hooks_.after();
    if (done) done = guests_time_.ask_with_clients(When::after);
    if (done) done = guests_time_.ask_with_servers(When::after);
    return done;
  }

  const TrialPlan& plan_;
  ProgramPairs pairs_;
  std::chrono::milliseconds settle_;
  WindowHooks hooks_;
  GuestsTime guests_time_;
  nlohmann::json mapped_ = nlohmann::json::array();
};

}  // namespace

Result<nlohmann::json> run_program_trial(const TrialPlan& plan, Bench& bench, const Setup& setup,
                                         ProgramLook look, std::chrono::milliseconds settle,
                                         const WindowHooks& hooks) {
  return ProgramTrial(plan, bench, setup, settle, hooks).run(look);
}

}  // namespace vtax::controller
