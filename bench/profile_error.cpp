// `vtax profile`'s sampling beside the lab's exact profile of the same window: how far the shares of
// functions are off, and how many samples have no function.
//
//   profile_error [HZ] [PLATFORM...]
//
// Platforms: native, kvm, kvm-qemu, xen-pv, xen-pvh; without: native, kvm, xen-pv. HZ: 1999. The sampler runs
// unmodified in the lab's machine, on the driver domain's side and, by `vtax agent`, in the guest. One guest
// receives over a card; every CPU of the machine is compared, the peer's too. What of the exact profile no
// sampler of Linux sees (Xen, code without symbols) is left out of both and said.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "agent/entry.h"
#include "bench/must.h"
#include "bench/own_folder.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/lab_parts.h"
#include "profile/kernel_names.h"

namespace vtax {
namespace {

using namespace lab;
using nlohmann::json;

using FunctionName = std::pair<std::string, std::string>;  // image, function
using Counts = std::map<FunctionName, double>;

constexpr double kLeastShare = 0.01, kMostStandardErrors = 3;
constexpr std::uint64_t kWindowBytes = 192U << 20U;

struct Side {
  Counts sampled, exact;
  double samples = 0, exact_total = 0, without_function = 0, without_name = 0, exact_without_symbol = 0;
  double hypervisor = 0;                  // exact: for this domain, in Xen
  std::map<std::string, double> unknown;  // samples without a function, by image
  std::uint64_t lost = 0;
  double own_seconds = 0, sampling_seconds = 0;
  double taken = 0;  // samples, of waiting, too
  [[nodiscard]] double all() const { return exact_total + exact_without_symbol + hypervisor; }
  [[nodiscard]] double of_vtax() const {
    const auto found = exact.find({"vtax", "all of it"});
    return found == exact.end() ? 0 : found->second;
  }
};

double sum_of(const Counts& counts) {
  double sum = 0;
  for (const auto& [function, count] : counts) sum += count;
  return sum;
}

bool has_no_symbol(const std::string& function) {
  return function.starts_with("[0x");
}

// The lab's images hold of this program, PID 1 of every machine, what is loaded of it alone, without a table
// of sections: its functions are compared as one.
constexpr std::string_view kLabProgram = "vtax", kLabProgramInside = "init";
FunctionName as_compared(std::string image, std::string function) {
  if (image == kLabProgram || image == kLabProgramInside) return {std::string(kLabProgram), "all of it"};
  return {std::move(image), std::move(function)};
}

// Where the idle task of a Xen guest waits: the few instructions of its calls are in the exact profile, and
// every sample of a CPU that sleeps is there.
constexpr std::string_view kXensWaiting = "xen_hypercall_";

json observe(const LabMachine& machine, const std::string& platform, int hz,
             std::chrono::nanoseconds duration, Ledger* ledger) {
  Trial trial;
  trial.factors = {{"platform", platform},      {"workload", "tcp-stream"},
                   {"topology", "card"},        {"offloads", "on"},
                   {"write_bytes", "65536"},    {"bytes", std::to_string(kWindowBytes)},
                   {"warmup_bytes", "1048576"}, {"direction", "receive"}};
  if (platform != "native") trial.factors["guest_cpu"] = "own";
  json plan = json::parse(must(plan_of(trial)));
  plan["profile_hz"] = hz;
  plan["profile_ns"] = duration.count();
  const auto seen = machine.observe(plan.dump(), [](std::string_view) {});
  if (!seen) quit(seen.error().text());
  if (ledger != nullptr) *ledger = must(machine.ledger_of(*seen, {}));
  json answer = json::parse(seen->answer, nullptr, false);
  if (!answer.contains("profile")) quit("the machine gave no profile: " + answer.dump());
  return answer["profile"];
}

std::map<std::string, Side> sides_of(const json& profile, const Ledger& ledger) {
  std::map<std::string, Side> sides;
  for (const FunctionCost& cost : ledger.functions) {
    if (cost.layer == Layer::idle) continue;
    Side& side = sides[cost.domain];
    const auto instructions = static_cast<double>(cost.instructions.value);
    if (cost.layer == Layer::hypervisor && cost.image == "xen")
      side.hypervisor += instructions;
    else if (has_no_symbol(cost.function))
      side.exact_without_symbol += instructions;
    else
      side.exact[as_compared(cost.image, cost.function)] += instructions;
  }
  for (const json& one : profile["sides"]) {
    Side& side = sides[one.value("domain", "")];
    side.lost = one.value("lost", std::uint64_t{0});
    side.own_seconds = one.value("own_ns", 0.0) / 1e9;
    side.sampling_seconds = one.value("cost_ns", 0.0) * one.value("samples", 0.0) / 1e9;
    for (const char* kind : {"functions", "idle"})
      for (const json& row : one[kind]) {
        const FunctionName function = as_compared(row[0].get<std::string>(), row[1].get<std::string>());
        const auto samples = row[2].get<double>();
        side.taken += samples;
        // In the idle task, what is not its waiting is work: the exact profile has it so.
        const bool waits = std::string_view(kind) == "idle" &&
                           (!side.exact.contains(function) || function.second.starts_with(kXensWaiting));
        if (waits) continue;
        side.samples += samples;
        if (function.second == profile::kUnknownFunction) {
          side.without_function += samples;
          side.unknown[function.first] += samples;
        } else if (function.second.starts_with(profile::kUnnamedFunction))
          side.without_name += samples;
        else
          side.sampled[function] += samples;
      }
  }
  for (auto& [domain, side] : sides) side.exact_total = sum_of(side.exact);
  return sides;
}

// What a sample costs: by so much dearer, a sample, is the same work where it is sampled throughout than
// where it hardly is; and how much of that is vtax's own, not the kernel's.
std::string cost_of_a_sample(const Side& side, const Side& hardly) {
  const double samples = side.taken - hardly.taken;
  if (samples <= 0) return "- | -";
  return fmt::format("{:.0f} | {:.0f}", (side.all() - hardly.all()) / samples,
                     (side.of_vtax() - hardly.of_vtax()) / samples);
}

void print(const std::string& platform, const std::string& domain, const Side& side, const Side& hardly) {
  if (side.samples == 0) {
    fmt::print("| {} | {} | no samples | | | | | | | |\n", platform, domain);
    return;
  }
  const double n = sum_of(side.sampled);
  struct Off {
    double errors;
    std::string text;
  };
  std::vector<Off> off;
  int above = 0, within = 0;
  double covered = 0;
  for (const auto& [function, instructions] : side.exact) {
    const double share = instructions / side.exact_total;
    if (share < kLeastShare) continue;
    ++above;
    covered += share;
    const auto found = side.sampled.find(function);
    const double sampled = found == side.sampled.end() ? 0 : found->second / n;
    const double errors = (sampled - share) / std::sqrt(share * (1 - share) / n);
    if (std::abs(errors) <= kMostStandardErrors)
      ++within;
    else
      off.push_back({errors, fmt::format("{} {}: exact {:.1f} %, sampled {:.1f} %", function.first,
                                         function.second, 100 * share, 100 * sampled)});
  }
  fmt::print(
      "| {} | {} | {:.0f} | {:.2f} % | {} of {} ({:.0f} % of the cost) | {:.1f} % | {:.1f} % | {:.2f} % | {} "
      "|\n",
      platform, domain, side.samples, 100 * (1 - (side.without_function + side.without_name) / side.samples),
      within, above, 100 * covered, 100 * side.hypervisor / side.all(),
      100 * side.exact_without_symbol / side.all(), 100 * (side.own_seconds + side.sampling_seconds),
      cost_of_a_sample(side, hardly));
  std::sort(off.begin(), off.end(),
            [](const Off& a, const Off& b) { return std::abs(a.errors) > std::abs(b.errors); });
  for (const Off& one : off)
    fmt::print(stderr, "{} {}: {:+.1f} standard errors, {}\n", platform, domain, one.errors, one.text);
  // What is sampled and hardly executed would be a wrong name.
  for (const auto& [function, samples] : side.sampled) {
    const auto found = side.exact.find(function);
    const double share = found == side.exact.end() ? 0 : found->second / side.exact_total;
    if (share < kLeastShare && samples / n >= std::max(kLeastShare / 2, 2 * share))
      fmt::print(stderr, "{} {}: sampled {:.1f} %, exact {:.2f} %: {} {}\n", platform, domain,
                 100 * samples / n, 100 * share, function.first, function.second);
  }
  for (const auto& [image, samples] : side.unknown)
    fmt::print(stderr, "{} {}: {:.0f} samples without a function in {}\n", platform, domain, samples, image);
  if (side.lost > 0) fmt::print(stderr, "{} {}: {} records lost\n", platform, domain, side.lost);
  std::fflush(stdout);
}

class Bench {
 public:
  Bench() : cache_(must(PackageCache::open())), qemu_(must(fetch_qemu(cache_, [](std::string_view) {}))) {}

  void measure(const std::string& platform, int hz) {
    auto image = must(build_lab_image(lab_machine_of(platform), {}, cache_, Apt(), [](std::string_view) {}));
    auto machine =
        must(LabMachine::prepare(std::move(image), "/proc/self/exe", qemu_, must(find_probe(qemu_))));
    SnapshotStore store(folder_.path);
    const auto booted =
        machine->boot(store, [](std::string_view step) { fmt::print(stderr, "profile_error: {}\n", step); });
    if (!booted) quit(booted.error().text());
    // The first window says how long it takes; sampling has to end in the quiet behind the second.
    Ledger ledger;
    const json first = observe(*machine, platform, hz, std::chrono::milliseconds(100), &ledger);
    auto hardly = sides_of(first, ledger);
    const std::chrono::nanoseconds window(first["window_ns"].get<std::int64_t>());
    const json profile =
        observe(*machine, platform, hz, window + window / 20 + std::chrono::milliseconds(200), &ledger);
    fmt::print(stderr, "{}: a window of {:.3f} s\n", platform, profile["window_ns"].get<double>() / 1e9);
    const auto sides = sides_of(profile, ledger);
    for (const auto& [domain, side] : sides)
      if (domain != "idle") print(platform, domain, side, hardly[domain]);
  }

 private:
  OwnFolder folder_;
  PackageCache cache_;
  Qemu qemu_;
};

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also PID 1 of the machines, and Xen's hotplug program.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  std::vector<std::string> platforms(argv + 1, argv + argc);
  int hz = 1999;
  if (!platforms.empty()) {
    const std::string& first = platforms.front();
    const auto [end, error] = std::from_chars(first.data(), first.data() + first.size(), hz);
    if (error == std::errc()) platforms.erase(platforms.begin());
  }
  if (platforms.empty()) platforms = {"native", "kvm", "xen-pv"};
  fmt::print(
      "| platform | domain | samples | with a named function | functions above 1 % within 3 standard errors "
      "| "
      "of its cost in Xen | without a symbol | vtax's own, of a CPU-second "
      "| instructions a sample | of that vtax's |\n|---|---|---|---|---|---|---|---|---|---|\n");
  vtax::Bench bench;
  for (const std::string& platform : platforms) bench.measure(platform, hz);
  return 0;
}
