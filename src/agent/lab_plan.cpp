#include "agent/lab_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/lab_layout.h"
#include "core/json_fields.h"
#include "subject/factor_table.h"

namespace vtax::agent {
namespace {

constexpr std::uint64_t kLeastLimitNs = 1'000'000'000;
constexpr std::uint64_t kMostLimitNs = 3'600'000'000'000;
constexpr std::uint64_t kMostDelayUs = 1'000'000;
constexpr std::uint64_t kMostProfileHz = 20'000;

template <class T>
bool take(Result<T>&& from, T& into, Error& error) {
  if (from) {
    into = *from;
  } else {
    error = from.error();
  }
  return from.has_value();
}

// What every form of a plan has, whatever its work.
Result<> take_frame(const JsonFields& fields, LabPlan& plan) {
  Error error;
  std::uint64_t version = 0, limit = 0;
  if (!take(fields.number("version", 1, 1), version, error) ||
      !take(fields.number("time_limit_ns", kLeastLimitNs, kMostLimitNs), limit, error))
    return fail(std::move(error));
  plan.time_limit = std::chrono::nanoseconds(limit);
  return {};
}

Result<> take_lab_platform(const JsonFields& fields, LabPlan& plan) {
  const auto name = fields.text("platform");
  if (!name) return fail(name.error());
  const auto platform = platform_named(*name);
  if (!platform || !facts_of(*platform).in_lab)
    return fail(fields.bad(fmt::format("'platform' is '{}', which the lab does not know", *name)));
  plan.platform = *platform;
  return {};
}

Result<LabPlan> parse_self_check(const JsonFields& fields) {
  const Result<> known = fields.only({"version", "platform", "workload", "work", "guest_work", "share_cpu",
                                      "queue", "time_limit_ns", "cpu_mips", "round_instructions"});
  if (!known) return fail(known.error());
  LabPlan plan;
  Result<> framed = take_frame(fields, plan);
  if (framed) framed = take_lab_platform(fields, plan);
  if (!framed) return fail(framed.error());
  auto check = self_check_from(fields);
  if (!check) return fail(check.error());
  if (plan.platform == PlatformId::container) return fail(fields.bad("'platform' has no self-check"));
  if (plan.platform != PlatformId::native && check->queue) return fail(fields.bad("'queue' runs natively"));
  if (plan.platform == PlatformId::native && (!check->guests.empty() || check->share_cpu))
    return fail(fields.bad("'guest_work' and 'share_cpu' need a platform with a guest"));
  plan.guests = std::max(1, static_cast<int>(check->guests.size()));
  plan.self_check = std::move(*check);
  return plan;
}

Result<LabPlan> parse_programs(const JsonFields& fields) {
  const Result<> known =
      fields.only({"version", "platform", "workload", "server", "client", "marks", "time_limit_ns"});
  if (!known) return fail(known.error());
  LabPlan plan;
  Result<> framed = take_frame(fields, plan);
  if (framed) framed = take_lab_platform(fields, plan);
  if (!framed) return fail(framed.error());
  auto programs = programs_from(fields);
  if (!programs) return fail(programs.error());
  if (plan.platform != PlatformId::native) return fail(fields.bad("'programs' run natively"));
  plan.programs = std::move(*programs);
  return plan;
}

// The peer's machine of a trial with topology "joined": what both machines have to agree on.
Result<LabPlan> parse_peer(const JsonFields& fields) {
  const Result<> known =
      fields.only({"version", "platform", "workload", "time_limit_ns", "guests", "offloads", "link_mbps",
                   "forwarding", "cpu_mips", "round_instructions"});
  if (!known) return fail(known.error());
  LabPlan plan;
  Result<> framed = take_frame(fields, plan);
  if (framed) framed = take_lab_platform(fields, plan);
  if (!framed) return fail(framed.error());
  if (plan.platform != PlatformId::native) return fail(fields.bad("a peer's machine is native"));
  for (const char* name : {"guests", "offloads", "link_mbps", "forwarding"}) {
    if (!fields.has(name)) continue;
    const nlohmann::json& value = fields.json()[name];
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (Result<> taken = put(*find_factor(common_factors(), name), text, plan); !taken)
      return fail(fields.bad(taken.error().why));
  }
  plan.topology = Topology::joined;
  plan.is_peer = true;
  return plan;
}

// What several machines cannot do, whose guests ask the driver domain of the first one.
Result<> check_machines(const JsonFields& fields, const LabPlan& plan) {
  if (plan.machines == 1 && plan.own_guests_ask) return {};
  if (plan.machines == 1) return fail(fields.bad("'own_guests' can rest where there are several 'machines'"));
  if (!has_guests(plan.platform) || plan.topology != Topology::inside ||
      plan.forwarding != Forwarding::bridge || plan.loads != Loads::equal || plan.driver_domains > 0)
    return fail(
        fields.bad("'machines' have guests behind a bridge with topology 'inside' and equal 'loads'"));
  if (plan.local || plan.http || plan.program || !plan.system_initiates)
    return fail(fields.bad("with several 'machines' the guests begin each exchange of their traffic"));
  if (plan.machines * plan.guests > kMostJoinedGuests)
    return fail(fields.bad("'machines' and 'guests' are more guests than there are addresses for"));
  if (plan.books || plan.watch || plan.counters || plan.profile_hz > 0)
    return fail(fields.bad("'books', 'watch', 'counters' and 'profile_hz' are of one machine"));
  return {};
}

// What the lab's machines cannot do.
Result<> check_machine(const JsonFields& fields, const LabPlan& plan) {
  if (plan.driver_domains > 0) {
    if (!has_driver_domains(plan.platform) || plan.topology != Topology::card ||
        plan.forwarding != Forwarding::bridge)
      return fail(fields.bad("'driver_domains' are those of xen-pv and xen-pvh, with cards and bridges"));
    if (plan.guests + plan.driver_domains > lab::kMostGuests)
      return fail(fields.bad("'guests' and 'driver_domains' are more domains than the probe tells apart"));
    if (plan.cards != plan.driver_domains)
      return fail(fields.bad("each of 'driver_domains' has one of the 'cards'"));
  }
  if (plan.forwarding == Forwarding::macvtap && (!has_kvm(plan.platform) || plan.topology != Topology::card))
    return fail(fields.bad("'forwarding' can be macvtap for guests of KVM alone, with cards"));
  if (plan.topology == Topology::joined) {
    if (plan.cards != 1 || plan.loads != Loads::equal || plan.driver_domains > 0)
      return fail(fields.bad("'cards', 'loads' and 'driver_domains' have no choice with topology 'joined'"));
    if (plan.local || plan.http || plan.program || !plan.system_initiates)
      return fail(fields.bad("with topology 'joined' the system begins each exchange of its traffic"));
  }
  if (Result<> possible = check_machines(fields, plan); !possible) return possible;
  if (plan.link_mbps != 0 && plan.topology == Topology::inside)
    return fail(fields.bad("'link_mbps' needs the topology 'card': inside one machine there is no link"));
  if (plan.books && !has_driver_domains(plan.platform))
    return fail(fields.bad("'books' are Domain-0's and Xen's"));
  if (plan.watch && !has_guests(plan.platform))
    return fail(fields.bad("'watch' is a driver domain's or KVM's host's"));
  if (plan.watch && (plan.counters || plan.books))
    return fail(fields.bad("'watch' cannot stand beside 'books' or 'counters'"));
  if (plan.profile_hz > 0 && (plan.counters || plan.books || plan.watch))
    return fail(fields.bad("'profile_hz' cannot stand beside 'books', 'counters' or 'watch'"));
  if (plan.counters && plan.books) return fail(fields.bad("'counters' cannot stand beside 'books'"));
  const bool is_stream = !plan.local && !plan.http && !plan.program;
  if ((plan.counters || plan.books || plan.profile_hz > 0) && !is_stream)
    return fail(fields.bad("'books', 'counters' and 'profile_hz' are of one connection's traffic"));
  if (plan.watch && !is_stream && !controller::has_disk(plan))
    return fail(fields.bad("'watch' is of one connection's traffic, or of disks"));
  return {};
}

// What a plan may have besides the trial.
Result<> take_extras(const JsonFields& fields, LabPlan& plan) {
  Error error;
  std::uint64_t delay = 0, seat = 0;
  const auto last_seat = static_cast<std::uint64_t>(plan.machines - 1);
  if (fields.has("seat") && !take(fields.number("seat", 0, last_seat), seat, error))
    return fail(std::move(error));
  plan.seat = static_cast<int>(seat);
  if (fields.has("delay_us") && !take(fields.number("delay_us", 0, kMostDelayUs), delay, error))
    return fail(std::move(error));
  plan.delay = std::chrono::microseconds(delay);
  if (fields.has("books") && !take(fields.boolean("books"), plan.books, error)) return fail(std::move(error));
  if (fields.has("watch") && !take(fields.boolean("watch"), plan.watch, error)) return fail(std::move(error));
  if (fields.has("profile_hz")) {
    std::uint64_t duration = 0;
    if (!take(fields.number("profile_hz", 1, kMostProfileHz), plan.profile_hz, error) ||
        !take(fields.number("profile_ns", 1, kMostLimitNs), duration, error))
      return fail(std::move(error));
    plan.profile_duration = std::chrono::nanoseconds(duration);
  }
  if (fields.has("counters") && !take(fields.boolean("counters"), plan.counters, error))
    return fail(std::move(error));
  return {};
}

}  // namespace

Result<LabPlan> parse_plan(std::string_view json) {
  const auto fields = JsonFields::parse("read the plan", json);
  if (!fields) return fail(fields.error());
  const auto workload = fields->text("workload");
  if (!workload) return fail(workload.error());
  if (*workload == "self-check") return parse_self_check(*fields);
  if (*workload == "programs") return parse_programs(*fields);
  if (*workload == "peer") return parse_peer(*fields);
  const auto trial = trial_spec_from(*fields, {"version", "time_limit_ns", "delay_us", "books", "counters",
                                               "watch", "profile_hz", "profile_ns", "seat"});
  if (!trial) return fail(trial.error());
  auto ordered = controller::plan_for(*trial);
  if (!ordered) return fail(fields->bad(ordered.error().why));
  LabPlan plan;
  static_cast<controller::TrialPlan&>(plan) = std::move(*ordered);
  Result<> taken = take_frame(*fields, plan);
  if (taken) taken = take_lab_platform(*fields, plan);
  if (taken) taken = take_extras(*fields, plan);
  if (taken) taken = check_machine(*fields, plan);
  if (!taken) return fail(taken.error());
  return plan;
}

}  // namespace vtax::agent
