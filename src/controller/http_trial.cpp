#include "controller/http_trial.h"

#include <fmt/format.h>

#include <optional>
#include <thread>

#include "controller/trial_result.h"
#include "workload/measure/side_report_reader.h"

namespace vtax::controller {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::uint16_t kHttpPort = 8080;

struct HttpPair {
  std::string name;
  End *server, *client;
  bool system_serves;
  HttpWork work, warmup;
  std::uint16_t port;
};

// Guest k's share under `halving`.
HttpWork share_of(HttpWork work, Loads loads, int guest) {
  if (loads == Loads::halving) work.requests = std::max<std::uint64_t>(1, work.requests >> (guest - 1));
  return work;
}

std::vector<HttpPair> http_pairs(const TrialPlan& plan, Bench& bench) {
  std::vector<HttpPair> pairs;
  const auto add = [&](End& system, End& peer) {
    const int guest = static_cast<int>(pairs.size()) + 1;
    const bool serves = !guest_initiates(plan, guest);
    HttpWork warmup = *plan.http;
    warmup.requests = plan.warmup_requests;
    pairs.push_back({system.name, serves ? &system : &peer, serves ? &peer : &system, serves,
                     share_of(*plan.http, plan.loads, guest), warmup,
                     static_cast<std::uint16_t>(kHttpPort + guest - 1)});
  };
  add(bench.system, bench.peer);
  for (EndPair& more : bench.more) add(more.system, more.peer);
  return pairs;
}

Result<SideReport> report_from(Result<JsonFields> answer) {
  if (!answer) return fail(answer.error());
  const auto fields = answer->object("side");
  if (!fields) return fail(fields.error());
  return read_side_report(*fields);
}

struct HttpSpan {
  nanoseconds lead{}, trail{};
  bool window = false;
};

Result<> tell_ask(const HttpPair& pair, const HttpWork& work, const HttpSpan& span, nanoseconds limit) {
  return pair.client->client->tell(
      {{"do", "http-ask"},
       {"work", work.to_json()},
       {"ipv4", pair.server->known_as.empty() ? pair.server->ipv4 : pair.server->known_as},
       {"port", pair.port},
       {"window", span.window},
       {"lead_ns", span.lead.count()},
       {"trail_ns", span.trail.count()},
       {"limit_ns", limit.count()}});
}

Result<> start_servers(const TrialPlan& plan, std::vector<HttpPair>& pairs) {
  for (HttpPair& pair : pairs) {
    const auto serves = pair.server->client->ask({{"do", "http-serve"},
                                                  {"work", pair.work.to_json()},
                                                  {"ipv4", pair.server->ipv4},
                                                  {"port", pair.port}},
                                                 plan.time_limit);
    if (!serves) return fail(serves.error());
    if (pair.warmup.requests == 0) continue;
    if (Result<> told = tell_ask(pair, pair.warmup, {}, plan.time_limit); !told) return told;
    if (const auto warm = pair.client->client->wait_for("done", plan.time_limit); !warm)
      return fail(warm.error());
  }
  return {};
}

// What the server counted, warm-up and window, against what the client had.
Result<> end_server(const HttpPair& pair, const TrialPlan& plan) {
  const auto served = report_from(pair.server->client->ask({{"do", "http-end"}}, plan.time_limit));
  if (!served) return fail(served.error());
  const std::uint64_t ordered = pair.work.requests + pair.warmup.requests;
  if (served->transactions.value == ordered) return {};
  return fail(
      Error{"compare the work with what was ordered",
            fmt::format("the web server counted {} responses of {}", served->transactions.value, ordered), "",
            ExitCode::trial_failed});
}

// Of the programs in the systems under test.
Result<std::vector<nanoseconds>> user_time(const std::vector<HttpPair>& pairs) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  std::vector<nanoseconds> all;
  for (const HttpPair& pair : pairs) {
    EndpointClient& system = *(pair.system_serves ? pair.server : pair.client)->client;
    const auto answer = system.ask({{"do", "http-cpu"}}, std::chrono::seconds(10));
    if (!answer) return fail(answer.error());
    const auto user = answer->number("user_ns", 0, kMost);
    if (!user) return fail(user.error());
    all.emplace_back(*user);
  }
  return all;
}

}  // namespace

Result<nlohmann::json> run_http_trial(const TrialPlan& plan, Bench& bench, std::chrono::milliseconds settle,
                                      const WindowHooks& hooks) {
  std::vector<HttpPair> pairs = http_pairs(plan, bench);
  if (Result<> started = start_servers(plan, pairs); !started) return fail(started.error());

  std::vector<nanoseconds> user;
  if (hooks.before) {
    const auto now = user_time(pairs);
    if (!now) return fail(now.error());
    user = *now;
  }
  // All begin together, long after the last order. Who ends keeps silent for longer than the others can take
  // if their work is alike.
  const auto begin = Clock::now() + 3 * settle;
  for (const HttpPair& pair : pairs) {
    const HttpSpan span{std::max<nanoseconds>(begin - Clock::now(), settle / 4), 3 * settle, true};
    if (Result<> told = tell_ask(pair, pair.work, span, plan.time_limit); !told) return fail(told.error());
  }
  if (hooks.before) {
    std::this_thread::sleep_until(begin - settle / 2);
    if (Result<> seen = hooks.before(); !seen) return fail(seen.error());
  }
  TrialResult done;
  for (const HttpPair& pair : pairs) {
    const auto side = report_from(pair.client->client->wait_for("done", 2 * plan.time_limit));
    if (!side) return fail(side.error());
    if (side->transactions.value != pair.work.requests)
      return fail(
          Error{"compare the work with what was ordered",
                fmt::format("{} of {} requests were answered", side->transactions.value, pair.work.requests),
                "", ExitCode::trial_failed});
    done.add(pair.name, *side);
  }
  if (hooks.after)
    if (Result<> seen = hooks.after(); !seen) return fail(seen.error());
  std::optional<Result<std::vector<nanoseconds>>> read_after;
  if (hooks.after) read_after = user_time(pairs);
  if (read_after && !*read_after) return fail(read_after->error());
  for (const HttpPair& pair : pairs)
    if (Result<> ended = end_server(pair, plan); !ended) return fail(ended.error());
  nlohmann::json result = done.to_json();
  if (read_after)
    for (std::size_t i = 0; i < pairs.size(); ++i)
      result["systems_user_ns"].push_back(((**read_after)[i] - user[i]).count());
  return result;
}

}  // namespace vtax::controller
