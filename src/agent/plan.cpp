#include "agent/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/lab_layout.h"
#include "core/json_fields.h"
#include "subject/program_text.h"

namespace vtax::agent {
namespace {

constexpr std::uint64_t least_limit_ns = 1'000'000'000;
constexpr std::uint64_t most_limit_ns = 3'600'000'000'000;
constexpr std::uint64_t most_delay_us = 1'000'000;
constexpr std::uint64_t datagram_buffer = 16 << 20;  // as much of it as the kernel allows

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
Result<> take_frame(const JsonFields& fields, Plan& plan) {
  Error error;
  std::uint64_t version = 0, limit = 0;
  if (!take(fields.number("version", 1, 1), version, error) ||
      !take(fields.number("time_limit_ns", least_limit_ns, most_limit_ns), limit, error))
    return fail(std::move(error));
  plan.time_limit = std::chrono::nanoseconds(limit);
  return {};
}

Result<> take_lab_platform(const JsonFields& fields, Plan& plan) {
  const auto name = fields.text("platform");
  if (!name) return fail(name.error());
  const auto platform = platform_named(*name);
  if (!platform || !facts_of(*platform).in_lab)
    return fail(fields.bad(fmt::format("'platform' is '{}', which the lab does not know", *name)));
  plan.platform = *platform;
  return {};
}

Result<Plan> parse_self_check(const JsonFields& fields) {
  const Result<> known = fields.only({"version", "platform", "workload", "work", "guest_work", "share_cpu",
                                      "queue", "time_limit_ns", "cpu_mips", "round_instructions"});
  if (!known) return fail(known.error());
  Plan plan;
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

Result<Plan> parse_programs(const JsonFields& fields) {
  const Result<> known =
      fields.only({"version", "platform", "workload", "server", "client", "marks", "time_limit_ns"});
  if (!known) return fail(known.error());
  Plan plan;
  Result<> framed = take_frame(fields, plan);
  if (framed) framed = take_lab_platform(fields, plan);
  if (!framed) return fail(framed.error());
  auto programs = programs_from(fields);
  if (!programs) return fail(programs.error());
  if (plan.platform != PlatformId::native) return fail(fields.bad("'programs' run natively"));
  plan.programs = std::move(*programs);
  return plan;
}

// What the lab's machines cannot do.
Result<> check_machine(const JsonFields& fields, const Plan& plan) {
  if (plan.driver_domains > 0) {
    if (!has_driver_domains(plan.platform) || plan.topology != Topology::card ||
        plan.forwarding != Forwarding::bridge)
      return fail(fields.bad("'driver_domains' are those of xen-pv and xen-pvh, with cards and bridges"));
    if (plan.guests + plan.driver_domains > lab::most_guests)
      return fail(fields.bad("'guests' and 'driver_domains' are more domains than the probe tells apart"));
    if (plan.cards != plan.driver_domains)
      return fail(fields.bad("each of 'driver_domains' has one of the 'cards'"));
  }
  if (plan.link_mbps != 0 && plan.topology == Topology::inside)
    return fail(fields.bad("'link_mbps' needs the topology 'card': inside one machine there is no link"));
  if (plan.books && !has_driver_domains(plan.platform))
    return fail(fields.bad("'books' are Domain-0's and Xen's"));
  if (plan.watch && !has_guests(plan.platform))
    return fail(fields.bad("'watch' is a driver domain's or KVM's host's"));
  if (plan.watch && (plan.counters || plan.books))
    return fail(fields.bad("'watch' cannot stand beside 'books' or 'counters'"));
  if (plan.counters && plan.books) return fail(fields.bad("'counters' cannot stand beside 'books'"));
  if ((plan.counters || plan.books || plan.watch) && (plan.local || plan.http || plan.program))
    return fail(fields.bad("'books', 'counters' and 'watch' are of one connection's traffic"));
  return {};
}

// What a plan may have besides the trial.
Result<> take_extras(const JsonFields& fields, Plan& plan) {
  Error error;
  std::uint64_t delay = 0;
  if (fields.has("delay_us") && !take(fields.number("delay_us", 0, most_delay_us), delay, error))
    return fail(std::move(error));
  plan.delay = std::chrono::microseconds(delay);
  if (fields.has("books") && !take(fields.boolean("books"), plan.books, error)) return fail(std::move(error));
  if (fields.has("watch") && !take(fields.boolean("watch"), plan.watch, error)) return fail(std::move(error));
  if (fields.has("counters") && !take(fields.boolean("counters"), plan.counters, error))
    return fail(std::move(error));
  return {};
}

WorkKind kind_of_traffic(WorkloadId workload) {
  switch (workload) {
    case WorkloadId::udp_stream:
      return WorkKind::udp_stream;
    case WorkloadId::tcp_rr:
      return WorkKind::tcp_rr;
    case WorkloadId::udp_rr:
      return WorkKind::udp_rr;
    case WorkloadId::tcp_crr:
      return WorkKind::tcp_crr;
    default:
      return WorkKind::tcp_stream;
  }
}

Result<> order_traffic(Plan& plan) {
  Order& window = plan.window;
  window.kind = kind_of_traffic(plan.workload);
  if (is_stream(window.kind)) {
    window.write_bytes = plan.write_bytes;
  } else {
    window.request_bytes = plan.request_bytes;
    window.response_bytes = plan.response_bytes;
  }
  if (window.kind == WorkKind::udp_stream) {
    window.bits_per_second = plan.rate_mbps * 1'000'000;
    window.batch = plan.offloads;
    window.sockets.receive_buffer = datagram_buffer;
  }
  plan.warmup = window;
  if (is_stream(window.kind)) {
    window.bytes = Bytes(plan.bytes);
    plan.warmup.bytes = Bytes(plan.warmup_bytes);
  } else {
    window.transactions = Transactions(plan.transactions);
    plan.warmup.transactions = Transactions(plan.warmup_transactions);
  }
  for (const Order* order : {&plan.window, &plan.warmup}) {
    if (expected(*order) == Done{}) continue;  // no warm-up
    if (Result<> possible = order->check(); !possible) return possible;
  }
  return {};
}

HttpWork http_work_of(const TrialSpec& trial) {
  HttpWork work;
  work.requests = trial.requests;
  work.connections = trial.connections;
  work.requests_per_connection = trial.requests_per_connection;
  work.file_bytes = trial.file_bytes;
  work.file_set = trial.file_set;
  work.connections_per_second = trial.connections_per_second;
  return work;
}

FixedWork fixed_work_of(const TrialSpec& trial, FixedWork::Kind kind) {
  FixedWork work;
  work.kind = kind;
  work.array_bytes = trial.array_bytes;
  work.rounds = trial.rounds;
  work.size = trial.size;
  work.systems = trial.systems;
  work.single_precision = trial.single_precision;
  work.iterations = trial.iterations;
  work.bytes = trial.bytes;
  work.block_bytes = trial.block_bytes;
  work.writes = trial.writes;
  work.random = trial.random;
  work.direct = trial.direct;
  work.in_tmpdir = trial.in_tmpdir;
  work.compiles = trial.compiles;
  work.source = trial.source;
  return work;
}

Error cannot_order(std::string why) {
  return {"order the trial's work", std::move(why), "", ExitCode::usage};
}

}  // namespace

Result<Plan> plan_for(const TrialSpec& trial) {
  Plan plan;
  static_cast<TrialSpec&>(plan) = trial;
  switch (trial.workload) {
    case WorkloadId::http:
      if (trial.system_window != 0 || trial.peer_window != 0)
        return fail(cannot_order("'system_window' and 'peer_window' are not part of the workload 'http'"));
      plan.http = http_work_of(trial);
      return plan;
    case WorkloadId::memory:
      plan.local = fixed_work_of(trial, FixedWork::Kind::memory);
      return plan;
    case WorkloadId::linpack:
      plan.local = fixed_work_of(trial, FixedWork::Kind::linpack);
      return plan;
    case WorkloadId::cpu_loop:
      plan.local = fixed_work_of(trial, FixedWork::Kind::cpu_loop);
      return plan;
    case WorkloadId::compile:
      plan.local = fixed_work_of(trial, FixedWork::Kind::compile);
      return plan;
    case WorkloadId::disk:
      if (trial.block_bytes % 512 != 0) return fail(cannot_order("'block_bytes' is no multiple of 512"));
      plan.local = fixed_work_of(trial, FixedWork::Kind::disk);
      return plan;
    case WorkloadId::program:
      if (Result<> meant = check_program(trial); !meant)
        return fail(cannot_order(meant.error().what + ": " + meant.error().why));
      plan.program = true;
      return plan;
    case WorkloadId::tcp_stream:
    case WorkloadId::udp_stream:
    case WorkloadId::tcp_rr:
    case WorkloadId::udp_rr:
    case WorkloadId::tcp_crr:
      break;
  }
  if (Result<> ordered = order_traffic(plan); !ordered) return fail(ordered.error());
  return plan;
}

Result<Plan> parse_plan(std::string_view json) {
  const auto fields = JsonFields::parse("read the plan", json);
  if (!fields) return fail(fields.error());
  const auto workload = fields->text("workload");
  if (!workload) return fail(workload.error());
  if (*workload == "self-check") return parse_self_check(*fields);
  if (*workload == "programs") return parse_programs(*fields);
  const auto trial =
      trial_spec_from(*fields, {"version", "time_limit_ns", "delay_us", "books", "counters", "watch"});
  if (!trial) return fail(trial.error());
  auto plan = plan_for(*trial);
  if (!plan) return fail(fields->bad(plan.error().why));
  Result<> taken = take_frame(*fields, *plan);
  if (taken) taken = take_lab_platform(*fields, *plan);
  if (taken) taken = take_extras(*fields, *plan);
  if (taken) taken = check_machine(*fields, *plan);
  if (!taken) return fail(taken.error());
  return plan;
}

Order order_of_guest(const Order& first, Loads loads, int guest) {
  Order order = first;
  if (loads != Loads::halving || expected(first) == Done{}) return order;
  if (is_stream(order.kind)) {
    order.bytes.value = std::max<std::uint64_t>(1, order.bytes.value >> (guest - 1));
  } else {
    order.transactions.value = std::max<std::uint64_t>(1, order.transactions.value >> (guest - 1));
  }
  return order;
}

bool guest_initiates(const Plan& plan, int guest) {
  return plan.system_initiates != (plan.loads == Loads::opposed && guest % 2 == 0);
}

int weight_of(GuestWeights weights, int guest) {
  constexpr int usual = 256;
  return weights == GuestWeights::equal ? usual : usual >> (guest - 1);
}

}  // namespace vtax::agent
