#include "agent/lab_trial.h"

#include <sys/reboot.h>

#include <algorithm>
#include <span>
#include <thread>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/lab_ports.h"
#include "agent/macvtap.h"
#include "agent/message.h"
#include "agent/shell.h"
#include "agent/virtual_functions.h"
#include "controller/http_trial.h"
#include "controller/local_trial.h"
#include "controller/program_trial.h"
#include "controller/trial.h"
#include "core/start_phase.h"
#include "platform/links.h"
#include "platform/placement.h"
#include "workload/measure/marker.h"

namespace vtax::agent {
namespace {

constexpr int kMostRepetitions = 1000;  // of a study

// The first repetition's warm-up is as much as its window, and 8 MiB unless the window is far smaller: a
// machine that has just been set up has empty lists of pages and buffers, and its first 8 MiB cost up to half
// as much again as the next.
Bytes rehearsal(Bytes window, int guests) {
  constexpr std::uint64_t kEnough = 8U << 20, kMost = 16U << 20, kMostWindows = 4;
  return Bytes(std::max(std::min(window.value, kMost),
                        std::min(kMostWindows * window.value, kEnough / static_cast<unsigned>(guests))));
}

LabPlan rehearsed(LabPlan plan) {
  constexpr Transactions kMostTransactions(1000);
  if (plan.local || plan.program || plan.warmup.duration.count() != 0) return plan;
  if (plan.http && plan.warmup_requests > 0)
    plan.warmup_requests =
        std::max(plan.warmup_requests, std::min(plan.http->requests, kMostTransactions.value));
  if (plan.warmup.bytes.value > 0)
    plan.warmup.bytes = std::max(plan.warmup.bytes, rehearsal(plan.window.bytes, plan.guests));
  if (plan.warmup.transactions.value > 0)
    plan.warmup.transactions =
        std::max(plan.warmup.transactions, std::min(plan.window.transactions, kMostTransactions));
  return plan;
}

// Fixed addresses: files lie where they lay. What a program makes may lie elsewhere each time.
controller::ProgramLook look_of(int repetition) {
  return repetition == 1 ? controller::ProgramLook::all : controller::ProgramLook::run_time;
}

}  // namespace

void send_progress(const char* step) {
  lab_ports::write(frame("progress", {{"step", step}}));
}

void send_error(const Error& error) {
  if (!lab_ports::open()) return;
  lab_ports::write(frame("error", {{"what", error.what}, {"why", error.why}}));
}

void send_result(nlohmann::json result, const nlohmann::json& modules) {
  result["modules"] = modules;
  lab_ports::write(frame("result", result));
}

Result<LabPlan> snapshot_and_read_plan() {
  lab_ports::write(frame("ready", nlohmann::json::object()));
  if (has_shell()) {
    if (Result<> done = run_shell(); !done) return fail(done.error());
    reboot(RB_POWER_OFF);
  }
  lab_ports::sleep_through_snapshot();
  const Result<std::string> text = lab_ports::read_file(lab::kPlanName);
  if (!text) return fail(text.error());
  return parse_plan(*text);
}

Result<> announce_on(std::initializer_list<int> cpus, int domain) {
  for (const int cpu : cpus) {
    if (Result<> pinned = pin(0, cpu); !pinned) return pinned;
    marker::announce(domain);
  }
  return pin(0, lab::kDriverCpu);
}

Result<Setup> lab_setup(const LabPlan& plan) {
  Setup setup = Setup::of(plan);
  if (plan.topology == Topology::inside) {
    setup.system_cpu = lab::kInsideSystemCpu;
    setup.peer_cpu = lab::kDriverCpu;
    if (plan.machines == 1) return setup;
    Result<Links> links = Links::open();
    if (!links) return fail(links.error());
    const auto card = links->find_by_mac(lab::kSystemCardMac);
    if (!card) return fail(card.error());
    setup.system_card = *card;
    return setup;
  }
  setup.system_cpu = lab::kDriverCpu;
  setup.peer_cpu = lab::kCardPeerCpu;
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  struct Wire {
    const char *system_mac, *peer_mac;
    std::string &system, &peer;
  };
  const Wire wires[] = {
      {lab::kSystemCardMac, lab::kPeerCardMac, setup.system_card, setup.peer_card},
      {lab::kSecondSystemCardMac, lab::kSecondPeerCardMac, setup.second_system_card, setup.second_peer_card}};
  for (const Wire& wire : std::span(wires).first(static_cast<std::size_t>(plan.cards))) {
    const auto peer = links->find_by_mac(wire.peer_mac);
    if (!peer) return fail(peer.error());
    wire.peer = *peer;
    // Where driver domains have them this kernel does not know them.
    const auto system =
        plan.driver_domains > 0 ? std::string("given away") : links->find_by_mac(wire.system_mac);
    if (!system) return fail(system.error());
    wire.system = *system;
  }
  return setup;
}

Result<> load_what_is_needed(const LabPlan& plan) {
  if (plan.forwarding == Forwarding::nat) return load_modules(lab::kNatModulesFile);
  if (plan.forwarding == Forwarding::vf) return load_card_with_functions();
  if (plan.forwarding == Forwarding::macvtap) return load_macvtap();
  return {};
}

Result<> arrange_and_work(const LabPlan& plan, Platform& platform, const Setup& setup,
                          const nlohmann::json& modules, const controller::WindowHooks& hooks,
                          const std::vector<std::string>& disks) {
  send_progress("arrange");
  // Neither this process nor the endpoints that it starts may hold ports in the window: each system call of
  // theirs would cost Domain-0 a hypercall that no other program makes.
  lab_ports::close();
  if (plan.delay.count() > 0) std::this_thread::sleep_for(plan.delay);
  Result<Bench> bench = platform.arrange(setup);
  if (!bench) return fail(bench.error());
  bench->end_with(setup.guest_ends);
  // How many repetitions are wanted the machine does not know, so that no window depends on it.
  const int repetitions = controller::has_disk(plan) ? 1 : kMostRepetitions;
  for (int repetition = 1; repetition <= repetitions; ++repetition) {
    std::this_thread::sleep_for(start_phase(repetition));
    const LabPlan own = repetition == 1 ? rehearsed(plan) : plan;
    Result<nlohmann::json> result =
        own.program ? controller::run_program_trial(own, *bench, setup, look_of(repetition))
        : own.http  ? controller::run_http_trial(own, *bench, controller::kLabSettle, hooks)
        : own.local ? controller::run_local_trial(own, *bench, disks, controller::kLabSettle, hooks)
                    : controller::run_trial(own, *bench, controller::kLabSettle, hooks, repetition);
    if (!result) return fail(result.error());
    if (hooks.describe) hooks.describe(*result);
    if (Result<> opened = lab_ports::open(); !opened) return opened;
    send_result(std::move(*result), repetition == 1 ? modules : nlohmann::json::array());
    lab_ports::close();
  }
  return {};
}

}  // namespace vtax::agent
