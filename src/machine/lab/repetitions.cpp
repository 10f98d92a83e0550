// What a booted machine's trials are: windows of an emulator that was resumed from its snapshot.

#include <fmt/format.h>

#include <chrono>

#include "account/slices.h"
#include "account/waiting.h"
#include "machine/lab/joint.h"
#include "machine/lab/lab_machine.h"
#include "machine/lab/trial_time.h"

namespace vtax::lab {
namespace {

constexpr int kCardPeerCpu = 1;  // docs/design/architecture.md, "Placement"

Result<ProbeWish> wish_of(const TrialSpec& trial) {
  ProbeWish wish{{}, trial.schedule, {}};
  if (trial.prices != "off") {
    auto prices = read_lab_prices(trial.prices);
    if (!prices) return fail(prices.error());
    wish.prices = std::move(*prices);
  }
  if (trial.caches == "off") return wish;
  auto caches = read_caches(trial.caches);
  if (!caches) return fail(caches.error());
  wish.caches = *caches;
  return wish;
}

// Wall time from one trial to the next.
class Lap {
 public:
  std::uint64_t next_ns() {
    const auto now = std::chrono::steady_clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(now - begun_);
    begun_ = now;
    return static_cast<std::uint64_t>(passed.count());
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

// Why a repetition was not tried.
Error behind(int failed, const Error& error) {
  return {fmt::format("run {} of the same machine failed before it", failed), error.what, "",
          ExitCode::trial_failed};
}

}  // namespace

Result<> LabMachine::observe_each(const std::string& plan, int windows, const TellStep& progress,
                                  const ProbeWish& wish, const Seen& seen) const {
  // The other machines go before the joint does, and this one before those, at which it looks.
  std::optional<Joint> joint;
  std::vector<std::unique_ptr<Emulator>> others;
  const auto joined = joined_plan_of(plan);
  if (joined) {
    const LabMachine* const other = joined->has_peer ? peer_ : this;
    if (other == nullptr)
      return fail({"run the trial", "its peer's machine was not booted", "", ExitCode::trial_failed});
    auto made = Joint::make(1 + static_cast<int>(joined->others.size()), joined->latency);
    if (!made) return fail(made.error());
    joint = std::move(*made);
    for (const std::string& of_other : joined->others) {
      const int seat = 1 + static_cast<int>(others.size());
      auto resumed = other->resume_or_heal(
          {.plan = of_other, .wish = {}, .joint = joint->end(seat, joined->has_peer), .counts = false},
          progress);
      if (!resumed) return fail(resumed.error());
      others.push_back(std::move(*resumed));
    }
  }
  auto resumed = resume_or_heal(
      {.plan = plan, .wish = wish, .joint = joint ? std::optional(joint->end(0)) : std::nullopt}, progress);
  if (!resumed) return fail(resumed.error());
  std::unique_ptr<Emulator> machine = std::move(*resumed);
  for (const auto& other : others)
    machine->beside.emplace_back(
        joined->has_peer ? "the peer's machine" : fmt::format("machine {}", machine->beside.size() + 2),
        other.get());
  tell_of_waiting(*machine, progress);
  decltype(GuestResult::modules) modules;
  decltype(GuestResult::program) program;  // its files: what it makes while it runs each result has anew
  for (int window = 1; window <= windows; ++window) {
    auto message = machine->next_message();
    if (!message) return fail(message.error());
    if (message->type != "result") return fail(machine->with_console(read_guest_error(message->json)));
    auto result = read_guest_result(message->json);
    if (!result) return fail(result.error());
    if (window == 1) {
      modules = result->modules;
      program = result->program;
    }
    result->modules = modules;
    result->program = program;
    Observation observation{std::move(message->json), std::move(*result), std::nullopt, machine->console()};
    if (!probe_.empty()) {
      auto counted = machine->next_probe_window();
      if (!counted) return fail(counted.error());
      observation.window = std::move(*counted);
    }
    machine->grant_anew();
    for (const auto& other : others) other->grant_anew();
    if (window == windows) {
      machine.reset();
      others.clear();
    }
    if (auto taken = seen(window, observation); !taken) return taken;
  }
  return {};
}

Result<Observation> LabMachine::observe(const std::string& plan, const TellStep& progress,
                                        const ProbeWish& wish) const {
  Observation only;
  const auto done = observe_each(plan, 1, progress, wish, [&](int, Observation& observation) -> Result<> {
    only = std::move(observation);
    return {};
  });
  if (!done) return fail(done.error());
  return only;
}

Result<> LabMachine::run(Trial& trial, const TellStep& progress) const {
  std::optional<Error> failure;
  const auto ran = run_repetitions({trial}, progress, [&](Trial done, const std::optional<Error>& error) {
    trial = std::move(done);
    failure = error;
    return Result<>();
  });
  if (failure) return fail(*failure);
  return ran;
}

Result<> LabMachine::run_repetitions(std::vector<Trial> trials, const TellStep& progress,
                                     const Done& done) const {
  if (trials.empty()) return {};
  const auto spec = trial_spec_of(trials.front().factors);
  if (!spec) {
    for (Trial& trial : trials)
      if (auto kept = done(std::move(trial), spec.error()); !kept) return kept;
    return {};
  }
  if (repeats_in_one_machine(*spec))
    return run_windows(trials, *spec, trials.back().repetition, progress, done);
  for (Trial& trial : trials)
    if (auto ran = run_windows(std::span(&trial, 1), *spec, 1, progress, done); !ran) return ran;
  return {};
}

Result<> LabMachine::run_windows(std::span<Trial> trials, const TrialSpec& spec, int windows,
                                 const TellStep& progress, const Done& done) const {
  const auto fail_all = [&](std::span<Trial> left, const Error& first, int failed) -> Result<> {
    for (std::size_t i = 0; i < left.size(); ++i) {
      const bool its_own = windows == 1 || left[i].repetition <= failed;
      if (auto kept = done(std::move(left[i]), its_own ? first : behind(failed, first)); !kept) return kept;
    }
    return {};
  };
  auto plan = plan_of(spec, trials.front().repetition);
  if (!plan) return fail_all(trials, plan.error(), windows);
  const auto wish = wish_of(spec);
  if (!wish) return fail_all(trials, wish.error(), windows);

  Lap lap;
  int reached = 0;
  std::size_t next = 0;
  std::optional<Error> refused;
  const auto seen = [&](int window, const Observation& observation) -> Result<> {
    reached = window;
    const std::uint64_t took = lap.next_ns();
    // One that an earlier run has already is run for what comes behind it.
    if (windows > 1 && trials[next].repetition != window) return {};
    Trial trial = std::move(trials[next++]);
    const auto filled = fill_in(trial, observation, spec);
    trial.elapsed_host_ns = took;
    auto kept = done(std::move(trial), filled ? std::nullopt : std::optional(filled.error()));
    if (!kept) refused = kept.error();
    return kept;
  };
  const auto ended = observe_each(*plan, windows, progress, *wish, seen);
  if (ended || refused || ended.error().code == ExitCode::interrupted) return ended;
  return fail_all(trials.subspan(next), ended.error(), reached + 1);
}

Result<> LabMachine::fill_in(Trial& trial, const Observation& seen, const TrialSpec& spec) const {
  trial.work = seen.result.work;
  trial.devices = seen.result.devices;
  trial.guests = seen.result.guests;
  trial.window_virtual_ns = seen.result.window_virtual_ns;
  if (!seen.window) return {};
  trial.window_virtual_ns = seen.window->ns;
  // Joined, that CPU has the controller's card, and the peer's work is in its own machine.
  const bool has_peer = spec.topology != Topology::inside;
  const auto wish = wish_of(spec);
  if (!wish) return fail(wish.error());
  auto ledger = ledger_of(seen, has_peer ? std::set<int>{kCardPeerCpu} : std::set<int>{});
  if (!ledger) return fail(ledger.error());
  if (auto added = add_work(ledger->timeline, *seen.window, trial.guests); !added) return added;
  trial.timeline = std::move(ledger->timeline);
  trial.schedule = std::move(ledger->schedule);
  trial.ledger = std::move(ledger->entries);
  trial.functions = std::move(ledger->functions);
  trial.machine_total = ledger->machine_total;
  if (spec.topology == Topology::card) trial.peer_total = ledger->peer_total;
  auto waiting = waiting_of(*seen.window, trial.guests);
  if (!waiting) return fail(waiting.error());
  trial.waiting = std::move(*waiting);
  trial.busy =
      wish->prices ? busy_of(trial, *wish->prices) : busy_of(trial, time_of(spec).speed, kCardPeerCpu);
  trial.digest = ledger->digest;
  trial.provenance = provenance(spec, seen.result);
  return {};
}

}  // namespace vtax::lab
