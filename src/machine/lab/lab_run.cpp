#include "machine/lab/lab_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/interruption.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/lab_parts.h"
#include "machine/parts/stack_sources.h"

namespace vtax::lab {
namespace {

// The repetitions of a trial, ascending.
using Repetitions = std::vector<Trial>;

// One kind of machine and the trials that wait for it.
struct Pool {
  enum class State { cold, booting, ready, failed };
  State state = State::cold;
  std::unique_ptr<LabMachine> machine;
  std::deque<Repetitions> waiting;
};

class LabRun {
 public:
  LabRun(PackageCache cache, Qemu qemu, std::filesystem::path probe, const LabRunOptions& options,
         const MachineEvents& events)
      : cache_(std::move(cache)),
        qemu_(std::move(qemu)),
        probe_(std::move(probe)),
        store_(cache_.workplace() / "machines"),
        options_(options),
        events_(events) {}

  Result<> run(std::vector<Trial> trials) {
    for (Repetitions& repetitions : by_factors(std::move(trials))) {
      const auto key = pool_of(repetitions.front());
      if (!key) return fail(key.error());
      pools_[*key].waiting.push_back(std::move(repetitions));
    }
    if (auto made = build_own_images(); !made) return made;
    boots_.left = pools_.size();
    tell_boots();
    const int workers = std::max(1, options_.jobs);
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    if (error_) return fail(*error_);
    if (interrupted()) return fail(interruption_error());
    return {};
  }

 private:
  // The dearest boot goes first, so that other machines' trials run beside it.
  static constexpr std::array kOrder = {PlatformId::xen_hvm, PlatformId::xen_hvm_pv, PlatformId::xen_pvh,
                                        PlatformId::xen_pv,  PlatformId::kvm,        PlatformId::kvm_qemu,
                                        PlatformId::native};

  // A machine by its kind and how it is perturbed at boot. A trial that names no variation finds its error
  // later.
  using PoolKey = std::pair<MachineKind, Variation>;

  // In the order in which their factors first appear.
  static std::vector<Repetitions> by_factors(std::vector<Trial> trials) {
    std::vector<Repetitions> groups;
    std::map<std::map<std::string, std::string>, std::size_t> place;
    for (Trial& trial : trials) {
      const auto [found, is_new] = place.emplace(trial.factors, groups.size());
      if (is_new) groups.emplace_back();
      groups[found->second].push_back(std::move(trial));
    }
    for (Repetitions& group : groups)
      std::stable_sort(group.begin(), group.end(),
                       [](const Trial& a, const Trial& b) { return a.repetition < b.repetition; });
    return groups;
  }

  static Result<PoolKey> pool_of(const Trial& trial) {
    const auto spec = trial_spec_of(trial.factors);
    if (!spec) return fail(spec.error());
    return PoolKey{machine_of(*spec), variation_of(spec->variation).value_or(Variation()).at_boot()};
  }

  // What is wrong with the user's own files shall be known before anything is measured.
  Result<> build_own_images() {
    if (!options_.sources.has_own() && options_.stacks.empty()) return {};
    for (const auto& [key, pool] : pools_) {
      if (interrupted()) return fail(interruption_error());
      if (auto image = image_of(key); !image) return fail(image.error());
    }
    return {};
  }

  void tell_boots() {
    if (events_.on_boots) events_.on_boots(boots_);
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!error_ && !interrupted()) {
      if (Pool* cold = find(Pool::State::cold)) {
        boot(*cold, lock);
      } else if (Pool* ready = find(Pool::State::ready)) {
        Repetitions repetitions = std::move(ready->waiting.front());
        ready->waiting.pop_front();
        run_all(*ready->machine, std::move(repetitions), lock);
        if (const auto lost = ready->machine->lost(); lost && !error_) give_up(*ready, *lost);
      } else if (find(Pool::State::booting) != nullptr) {
        changed_.wait(lock);
      } else {
        return;
      }
    }
    changed_.notify_all();
  }

  // The dearest boot goes first, so that other machines' trials run beside it: the last kinds are dearest.
  Pool* find(Pool::State state) {
    for (const PlatformId kind : kOrder)
      for (auto& [key, pool] : pools_)
        if (key.first.image == kind && pool.state == state && !pool.waiting.empty()) return &pool;
    return nullptr;
  }

  void boot(Pool& pool, std::unique_lock<std::mutex>& lock) {
    pool.state = Pool::State::booting;
    const PoolKey key = pool_of(pool.waiting.front().front()).value_or(PoolKey());
    const std::optional<MachineKind> peer = peer_of(pool);
    lock.unlock();
    const auto begun = std::chrono::steady_clock::now();
    auto machine = prepare(key);
    if (machine && peer)
      if (auto joined = join(**machine, *peer); !joined) machine = fail(joined.error());
    lock.lock();
    --boots_.left;
    ++boots_.done;
    boots_.spent += std::chrono::steady_clock::now() - begun;
    tell_boots();
    if (machine) {
      pool.machine = std::move(*machine);
      pool.state = Pool::State::ready;
    } else if (machine.error().code == ExitCode::trial_failed) {
      give_up(pool, machine.error());
    } else {
      error_ = machine.error();
    }
    changed_.notify_all();
  }

  // Where some of its trials have one.
  static std::optional<MachineKind> peer_of(const Pool& pool) {
    for (const Repetitions& repetitions : pool.waiting) {
      const auto spec = trial_spec_of(repetitions.front().factors);
      if (!spec) continue;
      if (auto peer = peer_machine_of(*spec)) return peer;
    }
    return std::nullopt;
  }

  // Boots the peers' machine, once for all machines that it stands beside.
  Result<> join(LabMachine& machine, const MachineKind& kind) {
    const std::lock_guard guard(peers_mutex_);
    std::unique_ptr<LabMachine>& peer = peers_[kind];
    if (!peer) {
      auto made = prepare({kind, Variation()});
      if (!made) return fail(made.error());
      peer = std::move(*made);
    }
    machine.join(*peer);
    return {};
  }

  // A machine of which there will be none.
  void give_up(Pool& pool, Error why) {
    pool.state = Pool::State::failed;
    if (pool.waiting.empty()) return;
    why.what = std::string("its machine could not be booted: ") + why.what;
    std::vector<Trial> trials;
    for (Repetitions& repetitions : pool.waiting)
      std::move(repetitions.begin(), repetitions.end(), std::back_inserter(trials));
    pool.waiting.clear();
    if (auto kept = leave_untried(std::move(trials), why, events_.on_not_tried, events_.on_finished); !kept)
      error_ = kept.error();
  }

  // For a thread that does not hold the lock.
  TellStep step() {
    return [this](std::string_view text) {
      const std::lock_guard guard(mutex_);
      if (events_.on_step) events_.on_step(std::string(text));
    };
  }

  Result<LabImage> image_of(const PoolKey& key) {
    const ImageName name = ImageName::of(key.first);
    auto sources = sources_of_machine(name.stacks, options_.sources, options_.stacks);
    if (!sources) return fail(sources.error());
    sources->workload = name.workload;
    auto image = build_lab_image(name.kind, *sources, cache_, Apt(), step());
    if (!image) return image;
    const auto expected = options_.images.find(name);
    if (expected != options_.images.end() && expected->second != image->hash)
      return fail({"cannot go on with the run",
                   "the user's own files, vtax or the packages have changed since it began",
                   "begin another run; `--resume` goes on with this one when they are as they were",
                   ExitCode::io});
    return image;
  }

  Result<std::unique_ptr<LabMachine>> prepare(const PoolKey& key) {
    auto image = image_of(key);
    if (!image) {
      // The disk, and what the run rests on, is everybody's; what an image is made from, its trials' alone.
      const ExitCode code = image.error().code;
      if (code == ExitCode::usage || code == ExitCode::unavailable)
        image.error().code = ExitCode::trial_failed;
      return fail(image.error());
    }
    auto machine =
        LabMachine::prepare(std::move(*image), options_.sources.agent, qemu_, probe_, key.first.shape);
    if (!machine) return fail(machine.error());
    (*machine)->perturb(key.second);
    if (auto booted = (*machine)->boot(store_, step()); !booted) return fail(booted.error());
    return machine;
  }

  void run_all(const LabMachine& machine, Repetitions trials, std::unique_lock<std::mutex>& lock) {
    std::deque<Trial> to_start(trials.begin(), trials.end());
    const auto start_next = [&] {
      if (to_start.empty()) return;
      if (events_.on_start) events_.on_start(to_start.front());
      to_start.pop_front();
    };
    start_next();
    lock.unlock();
    const auto done = machine.run_repetitions(
        std::move(trials), step(), [&](Trial trial, const std::optional<Error>& error) -> Result<> {
          const std::lock_guard guard(mutex_);
          finish(std::move(trial), error);
          start_next();
          if (error_) return fail(*error_);
          return {};
        });
    lock.lock();
    if (!done && !error_) error_ = done.error();
  }

  void finish(Trial trial, const std::optional<Error>& error) {
    if (error) trial.error = error->text();
    if (auto kept = events_.on_finished(std::move(trial)); !kept) error_ = kept.error();
  }

  PackageCache cache_;
  Qemu qemu_;
  std::filesystem::path probe_;
  SnapshotStore store_;
  const LabRunOptions& options_;
  const MachineEvents& events_;

  std::mutex peers_mutex_;
  std::map<MachineKind, std::unique_ptr<LabMachine>> peers_;  // they outlive the pools' machines

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<PoolKey, Pool> pools_;
  Boots boots_;
  std::optional<Error> error_;
};

}  // namespace

std::map<BootedStacks, std::set<PlatformId>> kinds_by_stack(const std::vector<Trial>& trials) {
  std::map<BootedStacks, std::set<PlatformId>> kinds;
  for (const Trial& trial : trials) {
    const auto platform = platform_named(trial.factors.at("platform"));
    if (!platform) continue;  // the trial says so itself
    BootedStacks stacks;
    if (const auto named = trial.factors.find("stack"); named != trial.factors.end())
      stacks.stack = named->second;
    if (const auto named = trial.factors.find("guest_kernel"); named != trial.factors.end())
      stacks.guest_kernel = named->second;
    kinds[stacks].insert(facts_of(*platform).lab_machine);
  }
  return kinds;
}

Result<> check_own_builds(const std::vector<Trial>& trials, const LabRunOptions& options) {
  if (auto good = check_stacks(kinds_by_stack(trials), options.sources, options.stacks); !good) return good;
  UsedCards used;
  for (const Trial& trial : trials) {
    const auto spec = trial_spec_of(trial.factors);
    if (!spec || (spec->topology == Topology::inside && spec->machines == 1)) continue;
    used.stacks.insert(spec->stack);
    if (spec->driver_domains > 0) used.given_away.insert(spec->stack);
  }
  return check_cards(used, options.sources, options.stacks);
}

Result<> run_in_lab(std::vector<Trial> trials, const LabRunOptions& options, const MachineEvents& events) {
  if (trials.empty()) return {};
  if (auto good = check_own_builds(trials, options); !good) return good;
  auto cache = PackageCache::open();
  if (!cache) return fail(cache.error());
  if (cache->workplace() != cache->directory())
    events.on_step(fmt::format("{} cannot be written: this run's images and machines go with it ({})",
                               cache->directory().string(), cache->workplace().string()));
  auto qemu = fetch_qemu(*cache, [&](std::string_view step) { events.on_step(std::string(step)); });
  if (!qemu) return fail(qemu.error());
  auto probe = find_probe(*qemu);
  if (!probe) return fail(probe.error());
  LabRun run(std::move(*cache), std::move(*qemu), std::move(*probe), options, events);
  return run.run(std::move(trials));
}

}  // namespace vtax::lab
