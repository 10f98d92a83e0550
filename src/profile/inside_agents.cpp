#include "profile/inside_agents.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/readable.h"
#include "profile/agent_connection.h"
#include "profile/inside_wire.h"

namespace vtax::profile {
namespace {

constexpr std::chrono::seconds kToTellInside{5}, kBetweenAttempts{5};
constexpr std::chrono::milliseconds kToWaitForAnswers{50};
// Of a guest of which the host does not know how many it has.
constexpr std::size_t kMostCpus = 4096;

}  // namespace

// What the thread and its owner share; whoever ends last frees it.
struct InsideAgents::Asked {
  Asked(AgentAddress its_address, Secret its_secret)
      : address(std::move(its_address)), secret(std::move(its_secret)) {}

  const AgentAddress address;
  const Secret secret;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t asked = 0, answered = 0;  // readings
  bool is_there = false;                  // it is connected
  bool ends = false;
  std::size_t most_cpus = kMostCpus;
  watch::InsideUse latest;

  struct Question {
    std::uint64_t number = 0;
    std::size_t most_cpus = 0;
  };
  // Nothing: it is over.
  std::optional<Question> next_question(std::uint64_t seen) {
    std::unique_lock lock(mutex);
    is_there = true;
    changed.wait(lock, [&] { return ends || asked > seen; });
    return ends ? std::nullopt : std::optional(Question{asked, most_cpus});
  }
  // False: it is over.
  bool pause_after(const Error& why) {
    std::unique_lock lock(mutex);
    is_there = false;
    latest = {};
    latest.missing = why.text();
    changed.notify_all();
    return !changed.wait_for(lock, kBetweenAttempts, [&] { return ends; });
  }
  Error ask_through(ControlChannel& channel, std::uint64_t& seen, std::chrono::steady_clock::time_point last);

  // Runs until it is over.
  void serve();
};

void InsideAgents::Asked::serve() {
  std::uint64_t seen = 0;
  while (true) {
    auto channel = connect_to_agent(address, secret);
    auto last = std::chrono::steady_clock::now();
    const Error why = channel ? ask_through(*channel, seen, last) : channel.error();
    if (!pause_after(why)) return;
  }
}

// Until it is over, or fails.
Error InsideAgents::Asked::ask_through(ControlChannel& channel, std::uint64_t& seen,
                                       std::chrono::steady_clock::time_point last) {
  while (true) {
    const auto question = next_question(seen);
    if (!question) return {};
    seen = question->number;
    if (auto sent = channel.send(inside_order()); !sent) return sent.error();
    const auto message = channel.receive(kToTellInside);
    if (!message) return message.error();
    const auto now = std::chrono::steady_clock::now();
    // Its clock may be a little fast; it counts from when it was last asked.
    const auto since = now - std::exchange(last, now);
    auto told =
        read_inside(*message, question->most_cpus, since + since / 20 + std::chrono::milliseconds(100));
    if (!told) return told.error();
    const std::lock_guard guard(mutex);
    latest = std::move(*told);
    answered = seen;
    changed.notify_all();
  }
}

InsideAgents::InsideAgents(std::vector<AgentAddress> addresses, const Secret& secret) {
  for (AgentAddress& address : addresses) {
    auto asked = std::make_shared<Asked>(std::move(address), secret);
    asked->latest.missing = "its agent has not answered yet";
    agents_.push_back(asked);
    // It may wait for a partner that is silent: nobody waits for its end.
    std::thread([asked] { asked->serve(); }).detach();
  }
}

InsideAgents::~InsideAgents() {
  for (const auto& agent : agents_) {
    const std::lock_guard guard(agent->mutex);
    agent->ends = true;
    agent->changed.notify_all();
  }
}

void InsideAgents::ask() {
  for (const auto& agent : agents_) {
    const std::lock_guard guard(agent->mutex);
    ++agent->asked;
    agent->changed.notify_all();
  }
}

void InsideAgents::add_to(watch::Reading& reading) {
  const auto end = std::chrono::steady_clock::now() + kToWaitForAnswers;
  for (const auto& agent : agents_) {
    std::unique_lock lock(agent->mutex);
    agent->changed.wait_until(lock, end, [&] { return agent->answered == agent->asked || !agent->is_there; });
    const auto guest =
        std::find_if(reading.guests.begin(), reading.guests.end(),
                     [&](const watch::GuestUse& one) { return one.name == agent->address.guest; });
    if (guest == reading.guests.end()) {
      reading.missing.push_back(
          fmt::format("The agent of {}: no guest here has that name.", printable(agent->address.guest)));
      continue;
    }
    if (!guest->virtual_cpus.empty()) agent->most_cpus = guest->virtual_cpus.size();
    guest->inside = agent->latest;
  }
}

}  // namespace vtax::profile
