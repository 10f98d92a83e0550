// schedule_error RUN...: the lab's recorded schedules (factor schedule = on) beside the simulator's
// schedulers.
//
// Next and time: the scheduler is told what the lab's did, up to each switch of a CPU that several virtual
// CPUs share, and asked for the next one: who, and when. Both go on from what the lab did. What credit each
// has when the window begins is not recorded: it is fitted on the first switches, which do not count. Shares:
// of loops on one CPU, as the lab had them, and as the simulator gives them when left to itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/statistics.h"
#include "record/run_reader.h"
#include "simulate/processors.h"
#include "subject/trial_spec.h"

namespace {

using namespace vtax;
using simulate::kForever;
using simulate::kMs;
using simulate::kNobody;
using simulate::Ns;
using simulate::SchedulerKind;

constexpr std::size_t kFittedOn = 100;  // switches
// The scheduler's clock at the window's begin: what is charged before takes credit alone, since all budgets
// of caps are full again by then. Whole periods of caps.
constexpr Ns kBegin = 1000 * kMs;

SchedulerKind kind_of(Scheduler scheduler) {
  switch (scheduler) {
    case Scheduler::credit:
      return SchedulerKind::credit;
    case Scheduler::rtds:
      return SchedulerKind::rtds;
    case Scheduler::null:
      return SchedulerKind::null;
    case Scheduler::credit2:
      break;
  }
  return SchedulerKind::credit2;
}

simulate::Share share_of(const std::string& domain, const TrialSpec& spec) {
  simulate::Share share;
  if (!domain.starts_with("guest")) return share;
  const int number = std::stoi(domain.substr(5));
  if (spec.guest_weights == GuestWeights::halving) share.weight >>= number - 1;
  share.cap_percent = spec.guest_cap_percent;
  return share;
}

// What the lab's schedule says, for a scheduler that knows virtual CPUs by number and no idle ones.
struct Course {
  struct Step {
    Ns at = 0;
    bool is_wake = false;
    int cpu = kNobody;
    int vcpu = kNobody;  // that woke, or that has the CPU from here on; nobody: idle
    bool slept = false;  // the one that had it before does not want it any more

    [[nodiscard]] auto order() const { return std::tuple(at, !is_wake, cpu); }
  };
  std::vector<simulate::Share> shares;  // by number
  std::vector<int> at_first;            // who has each CPU
  std::vector<bool> awake;              // at first, by number
  std::vector<Ns> first_stays;
  std::vector<Step> steps;
  std::set<int> shared_cpus;
  int cpus = 0;
  Ns from_wake = 0;  // from when one wakes until it has an idle CPU, in the middle of the first ones
};

Course course_of(const Trial& trial, const TrialSpec& spec) {
  Course course;
  const Schedule& schedule = trial.schedule;
  std::vector<int> number(schedule.vcpus.size(), kNobody);
  std::map<int, std::set<int>> users;
  for (const Schedule::Stay& stay : schedule.stays) {
    course.cpus = std::max(course.cpus, stay.cpu + 1);
    const std::string& domain = schedule.vcpus[stay.vcpu].domain;
    if (domain == "idle") continue;
    int& its = number[stay.vcpu];
    if (its == kNobody) {
      its = static_cast<int>(course.shares.size());
      course.shares.push_back(share_of(domain, spec));
      course.shares.back().cpus = 0;
      course.first_stays.push_back(static_cast<Ns>(stay.end_ns - stay.begin_ns));
    }
    course.shares[static_cast<std::size_t>(its)].cpus |= std::uint64_t{1} << stay.cpu;
    users[stay.cpu].insert(its);
  }
  for (const auto& [cpu, of_it] : users)
    if (of_it.size() > 1) course.shared_cpus.insert(cpu);
  course.at_first.assign(static_cast<std::size_t>(course.cpus), kNobody);
  course.awake.assign(course.shares.size(), true);
  std::vector<bool> seen(course.shares.size());
  std::vector<double> waits;                                           // ns
  std::vector<std::optional<std::size_t>> last(course.shares.size());  // step at which it left
  std::vector<std::pair<int, bool>> has(static_cast<std::size_t>(course.cpus), {kNobody, false});
  for (const Schedule::Stay& stay : schedule.stays) {
    const auto cpu = static_cast<std::size_t>(stay.cpu);
    const int vcpu = number[stay.vcpu];
    auto& [before, is_known] = has[cpu];
    if (is_known && before == kNobody && stay.woke_ns && waits.size() < kFittedOn)
      waits.push_back(static_cast<double>(stay.begin_ns - std::min(stay.begin_ns, *stay.woke_ns)));
    if (!is_known) course.at_first[cpu] = stay.begin_ns == 0 ? vcpu : kNobody;
    if (is_known || stay.begin_ns > 0) {
      course.steps.push_back(
          {kBegin + static_cast<Ns>(stay.begin_ns), false, stay.cpu, vcpu, before != kNobody});
      if (before != kNobody) last[static_cast<std::size_t>(before)] = course.steps.size() - 1;
    }
    before = vcpu;
    is_known = true;
    if (vcpu == kNobody) continue;
    const auto its = static_cast<std::size_t>(vcpu);
    if (stay.woke_ns) {
      course.steps.push_back({kBegin + static_cast<Ns>(*stay.woke_ns), true, stay.cpu, vcpu, false});
      if (!seen[its]) course.awake[its] = false;
    } else if (last[its]) {
      course.steps[*last[its]].slept = false;  // it was sent away
    }
    seen[its] = true;
  }
  course.from_wake = static_cast<Ns>(median(waits).value_or(0));
  std::stable_sort(course.steps.begin(), course.steps.end(),
                   [](const Course::Step& a, const Course::Step& b) { return a.order() < b.order(); });
  return course;
}

struct Score {
  std::size_t switches = 0, same = 0;
  std::vector<double> off_us;  // of switches that the scheduler decided on
};

// A scheduler that goes through a course, corrected at each of its steps.
class Follower {
 public:
  Follower(const Course& course, SchedulerKind kind, const std::vector<Ns>& run_before,
           const std::vector<Ns>& cap_begin)
      : course_(course), scheduler_(simulate::make_scheduler(kind)), cpus_(course.at_first.size()) {
    scheduler_->set_cpus(course.cpus);
    for (std::size_t i = 0; i < course.shares.size(); ++i) {
      simulate::Share share = course.shares[i];
      share.cap_begin = cap_begin[i];
      scheduler_->add(share);
    }
    for (std::size_t i = 0; i < course.shares.size(); ++i) {
      if (course.awake[i]) scheduler_->wake(static_cast<int>(i), 0);
      scheduler_->charge(static_cast<int>(i), run_before[i], 0);
    }
    for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu)
      take(static_cast<int>(cpu), course.at_first[cpu], kBegin);
  }

  // The switches from number `first` on, `count` of them.
  Score follow(std::size_t first, std::size_t count) {
    std::size_t number = 0;
    for (const Course::Step& step : course_.steps) {
      decide_until(step.at);
      if (step.is_wake) {
        wake(step);
        continue;
      }
      const bool counts = course_.shared_cpus.contains(step.cpu) && number >= first;
      switch_over(step, counts);
      if (course_.shared_cpus.contains(step.cpu) && ++number == first + count) break;
    }
    return std::move(score_);
  }

 private:
  struct Decision {
    Ns at = 0;
    simulate::Turn turn;  // whose, and how long
  };
  struct Cpu {
    int has = kNobody;
    Ns since = 0;          // what it ran before is charged
    Ns ask_at = kForever;  // when the scheduler wants to be asked again
    std::optional<Decision> decided;
  };

  Cpu& at(int cpu) { return cpus_[static_cast<std::size_t>(cpu)]; }

  void settle(int cpu, Ns now) {
    Cpu& its = at(cpu);
    if (its.has != kNobody && now != its.since) scheduler_->charge(its.has, now - its.since, now);
    its.since = now;
  }

  // The scheduler's own questions come before what the lab did then.
  void decide_until(Ns now) {
    for (;;) {
      int next = kNobody;
      for (int cpu = 0; cpu < course_.cpus; ++cpu)
        if (at(cpu).ask_at < now && (next == kNobody || at(cpu).ask_at < at(next).ask_at)) next = cpu;
      if (next == kNobody) return;
      ask(next, at(next).ask_at);
    }
  }

  void ask(int cpu, Ns now) {
    settle(cpu, now);
    Cpu& its = at(cpu);
    const simulate::Turn turn = scheduler_->choose(cpu, now, its.has);
    its.ask_at = kForever;
    if (turn.vcpu == its.has)
      its.ask_at = turn.most >= kForever ? kForever : now + std::max<Ns>(1, turn.most);
    else
      its.decided = {now, turn};
  }

  void wake(const Course::Step& step) {
    scheduler_->wake(step.vcpu, step.at);
    for (int cpu = 0; cpu < course_.cpus; ++cpu) {
      if (!scheduler_->may_run(step.vcpu, cpu) || at(cpu).decided) continue;
      settle(cpu, step.at);
      if (at(cpu).has == kNobody) {
        at(cpu).ask_at = std::min(at(cpu).ask_at, step.at + course_.from_wake);
      } else if (const auto in = scheduler_->preempts_in(step.vcpu, at(cpu).has, step.at)) {
        at(cpu).ask_at = std::min(at(cpu).ask_at, step.at + *in + course_.from_wake);
      }
    }
  }

  // Xen decides some microseconds before the switch that the probe sees, by paths of different lengths: where
  // the scheduler decided at about the same time, that is when it was.
  static Ns moment_of(const Course::Step& step, Ns decided) {
    constexpr Ns kAboutTheSame = 5 * simulate::kUs;
    return std::abs(decided - step.at) <= kAboutTheSame ? decided : step.at;
  }

  void switch_over(const Course::Step& step, bool counts) {
    Cpu& its = at(step.cpu);
    const int left = its.has;
    if (step.slept) {
      settle(step.cpu, step.at);
      scheduler_->sleep(left);
      its.decided = {step.at, scheduler_->choose(step.cpu, step.at, kNobody)};
    } else if (!its.decided && its.ask_at < kForever) {
      ask(step.cpu, its.ask_at);  // the lab was earlier
    }
    const Ns now = moment_of(step, its.decided ? its.decided->at : step.at);
    settle(step.cpu, now);
    const bool is_same = its.decided && its.decided->turn.vcpu == step.vcpu;
    if (counts) {
      ++score_.switches;
      if (is_same) ++score_.same;
      if (!step.slept && its.decided)
        score_.off_us.push_back(std::abs(static_cast<double>(its.decided->at - step.at)) * 1e-3);
    }
    const std::optional<Ns> most = is_same ? std::optional(its.decided->turn.most) : std::nullopt;
    if (left != kNobody) scheduler_->run(left, kNobody);
    take(step.cpu, step.vcpu, now, most);
  }

  // `most`: how long the scheduler lets it, where it chose the same.
  void take(int cpu, int vcpu, Ns now, std::optional<Ns> most = std::nullopt) {
    Cpu& its = at(cpu);
    its = {vcpu, now, kForever, std::nullopt};
    if (vcpu != kNobody) scheduler_->run(vcpu, cpu);
    if (!most) {
      const simulate::Turn turn = scheduler_->choose(cpu, now, kNobody);
      most = turn.vcpu == vcpu ? turn.most : kMs;
    }
    its.ask_at = *most >= kForever ? kForever : now + std::max<Ns>(1, *most);
  }

  const Course& course_;
  std::unique_ptr<simulate::Scheduler> scheduler_;
  std::vector<Cpu> cpus_;
  Score score_;
};

double misfit(const Score& score) {
  constexpr double kFarOff = 2000, kWrong = 2000;  // us
  double sum = kWrong * static_cast<double>(score.switches - score.same);
  for (const double off : score.off_us) sum += std::min(off, kFarOff);
  return sum;
}

// What the lab's schedule does not tell of those who share a CPU: what each had run before the window, and
// when the periods of its cap begin. Both are chosen, in turn, so that the first switches fit best; to begin
// with so that its credit is used up when it is first sent away.
struct Unknown {
  std::vector<Ns> run_before, cap_begin;
};

Score follow(const Course& course, SchedulerKind kind, const Unknown& unknown, std::size_t first,
             std::size_t count) {
  return Follower(course, kind, unknown.run_before, unknown.cap_begin).follow(first, count);
}

// Nothing runs where all are parked by their caps: who ends that has its period's begin then. The middle of
// those among the first switches, of each; nothing of one that never does.
std::vector<std::optional<Ns>> begins_of_periods(const Course& course, Ns period) {
  std::vector<std::vector<Ns>> seen(course.shares.size());
  std::vector<int> has = course.at_first;
  std::vector<bool> woke(course.shares.size());
  std::size_t number = 0;
  for (const Course::Step& step : course.steps) {
    if (step.is_wake) {
      woke[static_cast<std::size_t>(step.vcpu)] = true;
      continue;
    }
    if (course.shared_cpus.contains(step.cpu) && ++number > kFittedOn) break;
    int& on_it = has[static_cast<std::size_t>(step.cpu)];
    if (step.vcpu != kNobody) {
      const auto its = static_cast<std::size_t>(step.vcpu);
      if (on_it == kNobody && !woke[its] && course.shares[its].cap_percent > 0) seen[its].push_back(step.at);
      woke[its] = false;
    }
    on_it = step.vcpu;
  }
  std::vector<std::optional<Ns>> begins(course.shares.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i].empty()) continue;
    // Around the first one, so that a begin near a period's end is not torn apart.
    const Ns first = seen[i].front();
    std::vector<double> around;
    for (const Ns at : seen[i]) around.push_back(static_cast<double>((at - first + period / 2) % period));
    const Ns begin = (first - period / 2 + static_cast<Ns>(*median(around))) % period;
    begins[i] = begin > 0 ? begin : begin + period;
  }
  return begins;
}

Unknown fit(const Course& course, SchedulerKind kind) {
  constexpr Ns kGiven = 10 * kMs, kPeriod = 10 * kMs;
  constexpr int kEachWay = 20, kRounds = 3;
  Unknown unknown{std::vector<Ns>(course.shares.size(), 0), std::vector<Ns>(course.shares.size(), 0)};
  std::set<std::size_t> sharers;
  for (std::size_t i = 0; i < course.shares.size(); ++i)
    for (const int cpu : course.shared_cpus)
      if ((course.shares[i].cpus >> cpu & 1) != 0) sharers.insert(i);
  for (const std::size_t i : sharers)
    if (course.first_stays[i] < kGiven) unknown.run_before[i] = kGiven - course.first_stays[i];
  std::vector<std::size_t> hidden;  // whose period's begin the schedule does not show
  const auto begins = begins_of_periods(course, kPeriod);
  for (const std::size_t i : sharers) {
    if (course.shares[i].cap_percent == 0) continue;
    if (begins[i])
      unknown.cap_begin[i] = *begins[i];
    else
      hidden.push_back(i);
  }
  // What fits the one depends on the other: all hidden begins together, each with the credit that the last
  // one has more or less than the others.
  std::vector<std::pair<double, Unknown>> tried;
  const auto attempt = [&](const Unknown& one) {
    tried.emplace_back(misfit(follow(course, kind, one, 0, kFittedOn)), one);
  };
  attempt(unknown);
  constexpr std::size_t kMostAtOnce = 2;
  if (!sharers.empty() && hidden.size() <= kMostAtOnce) {
    constexpr Ns kStep = kPeriod / 20;
    const auto last_of = [&](std::size_t number) { return hidden.size() > number ? kPeriod : kStep; };
    for (Ns one = kStep; one <= last_of(0); one += kStep)
      for (Ns other = kStep; other <= last_of(1); other += kStep)
        for (Ns more = -kGiven; more <= kGiven; more += kStep) {
          Unknown next = unknown;
          if (!hidden.empty()) next.cap_begin[hidden.front()] = one;
          if (hidden.size() > 1) next.cap_begin[hidden.back()] = other;
          next.run_before[*sharers.rbegin()] = next.run_before[*sharers.begin()] + more;
          attempt(next);
        }
  }
  // The best of these lead to different ends.
  constexpr std::size_t kFollowedUp = 20;
  std::stable_sort(tried.begin(), tried.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  if (tried.size() > kFollowedUp) tried.resize(kFollowedUp);
  for (auto& [best, its] : tried)
    for (const Ns step : {kPeriod / 20, kPeriod / 200, kPeriod / 2000})
      for (int round = 0; round < kRounds; ++round)
        for (const std::size_t i : sharers) {
          const auto improve = [&, &best = best, &its = its](Ns& value, Ns least) {
            const Ns from = value;
            Ns at_best = from;
            for (int k = -kEachWay; k <= kEachWay; ++k) {
              value = std::max(least, from + k * step);
              const double now = misfit(follow(course, kind, its, 0, kFittedOn));
              if (now < best) best = now, at_best = value;
            }
            value = at_best;
          };
          // What is seen is right but for the time from a decision to its switch.
          const bool is_near = begins[i] ? step == kPeriod / 2000 : step < kPeriod / 20;
          if (course.shares[i].cap_percent > 0 && is_near) improve(its.cap_begin[i], 0);
          improve(its.run_before[i], -kGiven);
        }
  return std::min_element(tried.begin(), tried.end(),
                          [](const auto& a, const auto& b) { return a.first < b.first; })
      ->second;
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

// ---- shares -----------------------------------------------------------------------------------------------

struct Loop final : simulate::Program {
  void on_done(int) override {}
};

// Of the CPU on which loops are together, by guest, until the first of them has ended.
using Shares = std::map<std::string, double>;

Ns end_of_first(const Trial& trial) {
  std::uint64_t first = trial.window_virtual_ns;
  for (const GuestWork& guest : trial.guests) first = std::min(first, guest.virtual_ns);
  return static_cast<Ns>(first);
}

Shares lab_shares(const Trial& trial, int cpu, Ns until) {
  Shares shares;
  for (const Schedule::Stay& stay : trial.schedule.stays) {
    const std::string& domain = trial.schedule.vcpus[stay.vcpu].domain;
    if (stay.cpu != cpu || !domain.starts_with("guest")) continue;
    const Ns end = std::min(static_cast<Ns>(stay.end_ns), until);
    shares[domain] += 100.0 * static_cast<double>(std::max<Ns>(0, end - static_cast<Ns>(stay.begin_ns))) /
                      static_cast<double>(until);
  }
  return shares;
}

Shares simulated_shares(const TrialSpec& spec, int cpu, Ns until) {
  simulate::EventLoop loop;
  simulate::Processors processors(loop, simulate::make_scheduler(kind_of(spec.scheduler)), cpu + 1);
  std::vector<Loop> loops(static_cast<std::size_t>(spec.guests));
  std::vector<int> vcpus;
  for (int i = 0; i < spec.guests; ++i) {
    simulate::Share share = share_of(fmt::format("guest{}", i + 1), spec);
    share.cpus = std::uint64_t{1} << cpu;
    vcpus.push_back(processors.add(share, loops[static_cast<std::size_t>(i)]));
  }
  for (const int vcpu : vcpus) processors.give(vcpu, kForever);
  while (loop.now() < until && loop.step()) {
  }
  Shares shares;
  const double all = static_cast<double>(loop.now());
  for (int i = 0; i < spec.guests; ++i)
    shares[fmt::format("guest{}", i + 1)] =
        100 * static_cast<double>(processors.busy(vcpus[static_cast<std::size_t>(i)])) / all;
  return shares;
}

std::string text_of(const Shares& shares) {
  std::string out;
  for (const auto& [guest, percent] : shares)
    out += fmt::format("{}{:.1f}", out.empty() ? "" : ", ", percent);
  return out;
}

// ---- run --------------------------------------------------------------------------------------------------

std::string cell_name(const TrialSpec& spec, const std::string& workload) {
  return fmt::format("{}, {}, {} guests, weights {}, cap {}", workload, name_of(spec.scheduler), spec.guests,
                     name_of(spec.guest_weights), spec.guest_cap_percent);
}

struct Totals {
  std::size_t switches = 0, same = 0;
  std::vector<double> off_us;
  double worst_share = 0;
  int settings = 0;
};

Result<> compare(const Trial& trial, Totals& totals) {
  const auto spec = trial_spec_of(trial.factors);
  if (!spec) return fail(spec.error());
  if (!trial.error.empty() || trial.schedule.empty()) return {};
  const SchedulerKind kind = kind_of(spec->scheduler);
  const Course course = course_of(trial, *spec);
  std::string shares = "-";
  if (spec->workload == WorkloadId::cpu_loop && !course.at_first.empty()) {
    constexpr int kFirstGuestCpu = 2;
    const Ns until = end_of_first(trial);
    const Shares lab = lab_shares(trial, kFirstGuestCpu, until),
                 simulated = simulated_shares(*spec, kFirstGuestCpu, until);
    double off = 0;
    for (const auto& [guest, percent] : simulated) {
      const auto its = lab.find(guest);
      off = std::max(off, std::abs(percent - (its == lab.end() ? 0 : its->second)));
    }
    totals.worst_share = std::max(totals.worst_share, off);
    ++totals.settings;
    shares = fmt::format("{}; {} ({:.2f})", text_of(lab), text_of(simulated), off);
  }
  Score score;
  if (!course.shared_cpus.empty()) score = follow(course, kind, fit(course, kind), kFittedOn, 1'000'000);
  totals.switches += score.switches;
  totals.same += score.same;
  totals.off_us.insert(totals.off_us.end(), score.off_us.begin(), score.off_us.end());
  fmt::print("| {} | {} | {} | {:.1f}, {:.1f} | {} |\n", cell_name(*spec, trial.factors.at("workload")),
             score.switches,
             score.switches == 0 ? std::string("-")
                                 : fmt::format("{:.1f} %", 100.0 * static_cast<double>(score.same) /
                                                               static_cast<double>(score.switches)),
             percentile(score.off_us, 0.5), percentile(score.off_us, 0.99), shares);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "usage: schedule_error RUN...\n"), 2;
  Totals totals;
  fmt::print(
      "| cell | switches | same next | off by, us: p50, p99 | shares, %: lab; simulated (off by) |\n"
      "|---|---|---|---|---|\n");
  for (int i = 1; i < argc; ++i) {
    auto reader = RunReader::open(argv[i]);
    if (!reader) return fmt::print(stderr, "{}\n", reader.error().text()), 1;
    const auto done =
        reader->for_each(RunReader::Detail::all, [&](const Trial& trial) { return compare(trial, totals); });
    if (!done) return fmt::print(stderr, "{}\n", done.error().text()), 1;
  }
  if (totals.switches > 0)
    fmt::print(
        "{} switches: {:.2f} % to the same next one; off by {:.1f} us in the middle, {:.1f} us of 99 %\n",
        totals.switches, 100.0 * static_cast<double>(totals.same) / static_cast<double>(totals.switches),
        percentile(totals.off_us, 0.5), percentile(totals.off_us, 0.99));
  if (totals.settings > 0)
    fmt::print("shares of {} settings: off by {:.2f} points at most\n", totals.settings, totals.worst_share);
}
