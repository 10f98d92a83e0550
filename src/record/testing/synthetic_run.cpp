#include "record/testing/synthetic_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace vtax {
namespace {

struct Share {
  const char* domain;
  Layer layer;
  Part part;
  const char* image;
  const char* function;
  double per_packet;  // instructions
  int cpu;
};

const std::vector<Share>& shares_of(const std::string& platform) {
  static const std::vector<Share> native{
      {"host", Layer::kernel, Part::none, "vmlinux", "copy_user_generic", 310.7, 0},
      {"host", Layer::kernel, Part::none, "vmlinux", "tcp_rcv_established", 402.1, 0},
      {"host", Layer::kernel, Part::none, "vmlinux", "__netif_receive_skb_core", 210.3, 0},
      {"host", Layer::kernel, Part::none, "e1000e", "e1000_clean_rx_irq", 331.9, 0},
      {"host", Layer::program, Part::none, "vtax", "receive_all", 21.4, 0},
      {"host", Layer::idle, Part::none, "vmlinux", "default_idle", 12.2, 0},
  };
  static const std::vector<Share> container{
      {"host", Layer::kernel, Part::none, "vmlinux", "copy_user_generic", 310.7, 0},
      {"host", Layer::kernel, Part::none, "vmlinux", "tcp_rcv_established", 402.1, 0},
      {"host", Layer::kernel, Part::none, "vmlinux", "__netif_receive_skb_core", 470.8, 0},
      {"host", Layer::kernel, Part::none, "bridge", "br_handle_frame", 160.2, 0},
      {"host", Layer::kernel, Part::none, "veth", "veth_xmit", 98.5, 0},
      {"host", Layer::kernel, Part::none, "e1000e", "e1000_clean_rx_irq", 331.9, 0},
      {"host", Layer::program, Part::none, "vtax", "receive_all", 21.4, 0},
      {"host", Layer::idle, Part::none, "vmlinux", "default_idle", 12.2, 0},
  };
  static const std::vector<Share> xen{
      {"Domain-0", Layer::hypervisor, Part::none, "xen", "do_grant_table_op", 702.5, 0},
      {"guest1", Layer::hypervisor, Part::none, "xen", "do_event_channel_op", 298.1, 2},
      {"guest1", Layer::hypervisor, Part::none, "xen", "lstar_enter", 190.0, 2},
      {"Domain-0", Layer::driver, Part::kernel, "xen_netback", "xenvif_tx_action", 812.4, 0},
      {"Domain-0", Layer::driver, Part::kernel, "vmlinux", "__netif_receive_skb_core", 455.5, 0},
      {"Domain-0", Layer::driver, Part::kernel, "e1000e", "e1000_clean_rx_irq", 331.9, 0},
      {"Domain-0", Layer::driver, Part::program, "program", "xenstored", 1.5, 0},
      {"guest1", Layer::kernel, Part::none, "vmlinux", "copy_user_generic", 310.7, 2},
      {"guest1", Layer::kernel, Part::none, "vmlinux", "tcp_rcv_established", 402.1, 2},
      {"guest1", Layer::kernel, Part::none, "xen_netfront", "xennet_poll", 377.7, 2},
      {"guest1", Layer::program, Part::none, "vtax", "receive_all", 21.4, 2},
      {"idle", Layer::idle, Part::none, "xen", "idle_loop", 44.0, 2},
      {"idle", Layer::uncharged, Part::none, "xen", "[0xffff82d040200000]", 0.6, 0},
  };
  if (platform == "xen-pv") return xen;
  return platform == "container" ? container : native;
}

std::string value_or(const std::map<std::string, std::string>& factors, const char* name,
                     const char* fallback) {
  const auto found = factors.find(name);
  return found == factors.end() ? fallback : found->second;
}

// FNV-1a, repeated to 64 hexadecimal digits: not a SHA-256, but as long, and equal for equal counts only.
std::string digest_of(const Trial& trial) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 1099511628211ULL; };
  for (const auto& [name, value] : trial.factors) {
    for (const char c : name + value) mix(static_cast<unsigned char>(c));
  }
  for (const LedgerEntry& entry : trial.ledger) mix(entry.value);
  return fmt::format("{0:016x}{0:016x}{0:016x}{0:016x}", hash);
}

// Fills ledger and total from the functions.
void add_up(Trial& trial) {
  trial.ledger.clear();
  trial.machine_total = {};
  for (const FunctionCost& cost : trial.functions) {
    const int cpu = cost.domain == "guest1" || cost.domain == "idle" ? 2 : 0;
    LedgerEntry entry{cpu, cost.domain, cost.layer, cost.part, "instructions", 0};
    const auto same = std::find_if(trial.ledger.begin(), trial.ledger.end(), [&](const LedgerEntry& e) {
      return e.cpu == entry.cpu && e.domain == entry.domain && e.layer == entry.layer && e.part == entry.part;
    });
    LedgerEntry& into = same == trial.ledger.end() ? trial.ledger.emplace_back(entry) : *same;
    into.value += cost.instructions.value;
    trial.machine_total += cost.instructions;
  }
  const std::uint64_t packets = trial.work.packets.value;
  const bool xen = trial.factors["platform"] == "xen-pv";
  const std::string system = xen ? "Domain-0" : "host";
  trial.ledger.push_back({0, system, xen ? Layer::driver : Layer::kernel, xen ? Part::kernel : Part::none,
                          "interrupts", packets / 3});
  if (xen) trial.ledger.push_back({2, "guest1", Layer::hypervisor, Part::none, "hypercalls", packets / 2});
  trial.digest = digest_of(trial);
}

}  // namespace

Trial synthetic_trial(std::uint64_t index, std::map<std::string, std::string> factors) {
  Trial trial;
  trial.index = index;
  trial.factors = std::move(factors);
  const std::string platform = trial.factors["platform"];
  const bool stream = trial.factors["workload"] == "tcp-stream";
  const bool offloads = value_or(trial.factors, "offloads", "on") == "on";
  const bool card = value_or(trial.factors, "topology", "card") == "card";
  const bool send = value_or(trial.factors, "direction", "receive") == "send";
  std::uint64_t data = 0;
  if (stream) {
    trial.work.bytes = Bytes(std::stoull(value_or(trial.factors, "bytes", "8388608")));
    data = (trial.work.bytes.value + 1447) / 1448;
  } else {
    trial.work.transactions = Transactions(std::stoull(value_or(trial.factors, "transactions", "500")));
    data = trial.work.transactions.value * 2;
  }
  const std::uint64_t acks = stream ? data / (platform == "xen-pv" ? 3 : 2) : 0;
  trial.work.packets = Packets(data + acks);
  double weight = offloads && stream ? 0.4 : 1.0;
  if (!card) weight *= 0.8;
  if (send) weight *= 0.7;
  if (!stream) weight *= 8.0;
  if (stream && value_or(trial.factors, "write_bytes", "65536") == "1448") weight *= 1.2;
  for (const Share& share : shares_of(platform)) {
    const bool is_tax = share.layer == Layer::hypervisor || share.layer == Layer::driver;
    const double dearer = (offloads ? 1.0 : 1.6) * (card ? 1.2 : 1.0) * (send ? 0.9 : 1.0);
    const double instructions =
        share.per_packet * weight * (is_tax ? dearer : 1.0) * static_cast<double>(trial.work.packets.value);
    trial.functions.push_back({share.domain, share.layer, share.part, share.image, share.function,
                               Instructions(static_cast<std::uint64_t>(std::llround(instructions)))});
  }
  const std::string system = platform == "xen-pv" ? "Domain-0" : "host";
  const std::uint64_t in = send ? acks : data;
  const std::uint64_t out = send ? data : acks;
  trial.devices.push_back(
      {"system", system, card ? "eth0" : "lo", Packets(in), Packets(out), Bytes(in * 1514), Bytes(out * 66)});
  if (platform == "xen-pv") {
    trial.devices.push_back(
        {"system", "Domain-0", "vif1.0", Packets(out), Packets(in), Bytes(out * 66), Bytes(in * 1514)});
    trial.devices.push_back(
        {"system", "guest1", "eth0", Packets(in), Packets(out), Bytes(in * 1514), Bytes(out * 66)});
  }
  if (card) {
    trial.devices.push_back(
        {"peer", system, "eth1", Packets(out), Packets(in), Bytes(out * 66), Bytes(in * 1514)});
    trial.peer_total = Instructions(trial.work.packets.value * 900);
  }
  trial.window_virtual_ns = trial.work.packets.value * 12'345;
  trial.elapsed_host_ns = 6'000'000'000 + index * 1'000'003;
  trial.provenance =
      R"json({"qemu": {"version": "0.0 (synthetic)"}, "kernel": {"version": "0.0-synthetic"}})json";
  add_up(trial);
  return trial;
}

void add_measured(Trial& trial) {
  const std::uint64_t window = trial.window_virtual_ns;
  const bool is_xen = trial.factors["platform"] == "xen-pv";
  trial.busy = {{0, is_xen ? "Domain-0" : "host", window / 2}, {1, "peer", window / 3}};
  if (is_xen) trial.busy.push_back({2, "guest1", window / 5});
  const Bytes bytes(trial.work.bytes.value / 4);
  const Transactions transactions(trial.work.transactions.value / 4);
  trial.guests = {{"guest1", bytes, transactions, window - window / 10},
                  {"guest2", Bytes(trial.work.bytes.value - bytes.value),
                   Transactions(trial.work.transactions.value - transactions.value), window}};
  trial.waiting.clear();
  if (transactions.value == 0) return;
  for (const GuestWork& guest : trial.guests)
    trial.waiting.push_back({guest.guest, guest.transactions.value, 61'000 * guest.transactions.value, 41'000,
                             57'000 + trial.index % 1000, 83'000, 123'000, 190'000, 251'000});
}

Trial synthetic_cell(std::uint64_t index) {
  static const Run run = synthetic_run();
  Trial trial = run.trials[index % run.trials.size()];
  const std::uint64_t block = index / run.trials.size();
  auto& size = trial.factors[trial.work.bytes.value > 0 ? "bytes" : "transactions"];
  size = std::to_string(std::stoull(size) + 1024 * block);
  trial.index = index;
  for (int event = 0; event < 22; ++event)
    trial.ledger.push_back({0, trial.factors["platform"] == "xen-pv" ? "Domain-0" : "host", Layer::kernel,
                            Part::none, fmt::format("event_number_{}", event),
                            trial.work.packets.value / static_cast<std::uint64_t>(event + 1)});
  add_measured(trial);
  trial.digest = digest_of(trial);
  return trial;
}

Run synthetic_header() {
  Run run;
  run.study = "synthetic";
  run.question = "What does a packet cost on Xen, and which layer pays?";
  run.study_source = "name = \"synthetic\"\n";
  run.settings = R"({"machine": "lab", "repetitions": 1, "factors": {"offloads": ["on", "off"]}})";
  run.vtax_version = "0.1.0";
  run.started_utc = "2026-01-01T00:00:00Z";
  run.machine = R"({"cpu": "synthetic"})";
  run.planned_trials = 60;
  return run;
}

Run synthetic_run() {
  Run run = synthetic_header();
  const auto add = [&](std::map<std::string, std::string> factors) {
    run.trials.push_back(synthetic_trial(run.trials.size(), std::move(factors)));
  };
  for (const char* platform : {"native", "container", "xen-pv"}) {
    for (const char* topology : {"inside", "card"}) {
      for (const char* offloads : {"on", "off"}) {
        const std::map<std::string, std::string> common{
            {"platform", platform}, {"topology", topology}, {"offloads", offloads}};
        for (const char* write_bytes : {"1448", "65536"}) {
          for (const char* direction : {"receive", "send"}) {
            auto factors = common;
            factors.insert({{"workload", "tcp-stream"},
                            {"bytes", "8388608"},
                            {"write_bytes", write_bytes},
                            {"direction", direction},
                            {"warmup_bytes", "1048576"}});
            add(std::move(factors));
          }
        }
        auto factors = common;
        factors.insert({{"workload", "tcp-rr"},
                        {"transactions", "500"},
                        {"request_bytes", "1"},
                        {"response_bytes", "1"},
                        {"direction", "receive"},
                        {"warmup_transactions", "50"}});
        add(std::move(factors));
      }
    }
  }
  return run;
}

void add_uncharged(Trial& trial, Instructions some) {
  trial.ledger.push_back(
      {LedgerEntry::kUnknownCpu, "unknown", Layer::uncharged, Part::none, "instructions", some.value});
  trial.functions.push_back({"unknown", Layer::uncharged, Part::none, "unknown", "unknown", some});
  trial.machine_total += some;
}

void make_failed(Trial& trial, const std::string& error) {
  Trial failed;
  failed.index = trial.index;
  failed.factors = trial.factors;
  failed.repetition = trial.repetition;
  failed.provenance = trial.provenance;
  failed.error = error;
  trial = std::move(failed);
}

void make_compile(Trial& trial) {
  trial.factors["workload"] = "compile";
  trial.devices.clear();
  trial.work = {{}, {}, Transactions(1)};
  for (LedgerEntry& entry : trial.ledger) entry.value *= entry.kind == "instructions" ? 900U : 1U;
  for (FunctionCost& cost : trial.functions) cost.instructions = Instructions(900U * cost.instructions.value);
  trial.machine_total = Instructions(900U * trial.machine_total.value);
}

void make_host(Trial& trial) {
  std::erase_if(trial.ledger, [](const LedgerEntry& entry) { return entry.kind != "instructions"; });
  for (LedgerEntry& entry : trial.ledger) {
    entry.kind = kCpuTimeKind;
    entry.value /= 2;
  }
  trial.functions.clear();
  trial.machine_total = trial.peer_total = {};
}

void add_hardware_counters(Trial& trial, const std::string& note) {
  const auto time = trial.ledger;
  for (const LedgerEntry& entry : time) {
    if (entry.kind != kCpuTimeKind || entry.layer == Layer::idle || entry.layer == Layer::uncharged) continue;
    LedgerEntry count = entry;
    count.kind = kHardwareCyclesKind;
    count.value = 3 * entry.value;
    trial.ledger.push_back(count);
    count.kind = kHardwareInstructionsKind;
    count.value = 4 * entry.value;
    trial.ledger.push_back(count);
  }
  trial.provenance = R"({"meter": {"hardware_counters": "counted", "hardware_counters_cpu_share": 0.93, )"
                     R"("hardware_counters_notes": [")" +
                     note + R"("]}})";
}

void scale_function(Trial& trial, const std::string& function, double factor) {
  for (FunctionCost& cost : trial.functions) {
    if (cost.function != function) continue;
    const double scaled = std::round(static_cast<double>(cost.instructions.value) * factor);
    cost.instructions = Instructions(static_cast<std::uint64_t>(scaled));
  }
  add_up(trial);
}

}  // namespace vtax
