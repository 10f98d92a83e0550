#include "controller/program_pairs.h"

namespace vtax::controller {
namespace {

constexpr std::chrono::milliseconds kNoPatienceLeft{1};  // zero would be for ever

}  // namespace

ProgramPairs::ProgramPairs(const TrialPlan& plan, Bench& bench, const Setup& setup)
    : have_servers_(!plan.server.empty()),
      patience_(2 * std::chrono::seconds(plan.limit_seconds) + std::chrono::seconds(30)) {
  const auto add = [&](End& system, End& peer) {
    const int guest = static_cast<int>(pairs_.size()) + 1;
    const bool serves = !have_servers_ || !guest_initiates(plan, guest);
    End& server = serves ? system : peer;
    End& client = !have_servers_ || !serves ? system : peer;
    const auto cpu_of = [&](const End& end) { return &end == &system ? setup.system_cpu : setup.peer_cpu; };
    pairs_.push_back({system.name, &server, &client, cpu_of(client), cpu_of(server)});
  };
  add(bench.system, bench.peer);
  for (EndPair& more : bench.more) add(more.system, more.peer);
}

Result<JsonFields> ProgramPairs::answer_of(const ProgramPair& pair, std::string_view state) const {
  Clients watched{pair.client->client};
  watch_servers(watched);
  const auto news = EndpointClient::first_with_news(watched, patience_);
  if (news && *news > 0) return fail(why_server_died(*news - 1));
  return take(pair, state, news ? patience_ : kNoPatienceLeft);
}

Result<> ProgramPairs::wait_for_all(std::string_view state) const {
  std::vector<const ProgramPair*> running;
  Clients watched;
  for (const ProgramPair& pair : pairs_) {
    running.push_back(&pair);
    watched.push_back(pair.client->client);
  }
  watch_servers(watched);
  while (!running.empty()) {
    // Where nobody says anything, the first one's silence is the error.
    const auto news = EndpointClient::first_with_news(watched, patience_);
    const std::size_t next = news.value_or(0);
    if (next >= running.size()) return fail(why_server_died(next - running.size()));
    const auto told = take(*running[next], state, news ? patience_ : kNoPatienceLeft);
    if (!told) return fail(told.error());
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(next));
    watched.erase(watched.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return {};
}

void ProgramPairs::watch_servers(Clients& watched) const {
  if (!have_servers_) return;
  for (const ProgramPair& pair : pairs_) watched.push_back(pair.server->client);
}

// A server that nobody asks says nothing else.
Error ProgramPairs::why_server_died(std::size_t server) const {
  const auto said = pairs_[server].server->client->wait_for("silent", patience_);
  return said ? said->bad("a server spoke that was not asked") : said.error();
}

// What a client failed of is often what its server said.
Result<JsonFields> ProgramPairs::take(const ProgramPair& pair, std::string_view state,
                                      std::chrono::nanoseconds patience) const {
  auto answer = pair.client->client->wait_for(state, patience);
  if (answer || !have_servers_) return answer;
  Error error = answer.error();
  const auto ended = pair.server->client->ask({{"do", "program-end"}}, patience_);
  // Of a guest that has died both say so.
  if (!ended && ended.error().text() != error.text()) {
    error.why += "; " + ended.error().what + ": " + ended.error().why;
    if (error.next.empty()) error.next = ended.error().next;
  }
  return fail(std::move(error));
}

}  // namespace vtax::controller
