#include "controller/trial_plan.h"

#include <algorithm>

#include "subject/program_text.h"

namespace vtax::controller {
namespace {

constexpr std::uint64_t kDatagramBuffer = 16 << 20;  // as much of it as the kernel allows

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

Result<> order_traffic(TrialPlan& plan) {
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
    window.sockets.receive_buffer = kDatagramBuffer;
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

Result<TrialPlan> plan_for(const TrialSpec& trial) {
  TrialPlan plan;
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

bool guest_initiates(const TrialPlan& plan, int guest) {
  return plan.system_initiates != (plan.loads == Loads::opposed && guest % 2 == 0);
}

int weight_of(GuestWeights weights, int guest) {
  constexpr int kUsual = 256;
  return weights == GuestWeights::equal ? kUsual : kUsual >> (guest - 1);
}

}  // namespace vtax::controller
