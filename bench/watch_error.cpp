// What the monitor of a running computer (vtax::watch::Watch) charges to guests, beside the probe's exact
// counts of the same window, and beside what others would say: a split of the same driver work by packets
// (equation 4.7), and in a second table, of each guest's own and driver work together, equations 4.6 and 4.7
// over all that the driver did, Debian's xentop, what libvirt's exporters show of QEMU, a control group's
// sum, and kvmtop's.
//
//   watch_error [alike] [PLATFORM...]
//
// Platforms: xen-pv, xen-pvh, kvm, kvm-qemu; without: xen-pv, xen-pvh, kvm. "alike" leaves out loads that are
// halved from one guest to the next, and takes half the time. In the lab, over cards; every guest on a CPU of
// its own, the driver domain on CPU 0, of which all is driver work. What the truth is and is not:
// docs/design/watch.md, "The truth".

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "account/charging.h"
#include "agent/entry.h"
#include "bench/image_with.h"
#include "bench/must.h"
#include "bench/own_folder.h"
#include "core/files.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/cpio.h"
#include "machine/parts/lab_parts.h"

namespace vtax {
namespace {

using namespace lab;
namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kMsPerInstruction = 2e-6;  // the lab's CPUs: 2 ns each
constexpr double kMsPerNs = 1e-6;
constexpr int kMostMebibytes = 8;
constexpr int kPeerCpu = 1;  // of the driver domain, and none of its work for guests

struct BenchWork {
  bool receives = true;
  int kibibytes = 0;
  auto operator<=>(const BenchWork&) const = default;
};

// What other monitors show as a guest's, ms; nothing where they do not run.
struct Peers {
  std::optional<double> xentop, process_ticks, control_group, kvmtop;
};

struct Guest {
  double exact_own = 0, own = 0, told = 0, shared = 0, packets = 0;
  Peers peers;
  [[nodiscard]] double caused() const { return told + shared; }
};

struct Window {
  double exact_driver = 0;  // all of CPU 0 but idleness
  double not_charged = 0;   // what the monitor found that the driver did for no guest in particular
  std::vector<Guest> guests;
  json watch;
};

constexpr double kXentopSeconds = 1;  // between its two readings, which it does not say itself

// The share of a CPU in xentop's last line of that domain: "  guest1 --b---   2   0.3  ...".
std::optional<double> xentop_ms(const std::string& text, const std::string& name) {
  std::optional<double> share;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string domain, state, seconds;
    double percent = 0;
    if (words >> domain >> state >> seconds >> percent && domain == name) share = percent;
  }
  return share ? std::optional(*share / 100 * kXentopSeconds * 1000) : std::nullopt;
}

Peers peers_of(const json& said, const std::string& name) {
  Peers peers;
  peers.xentop = xentop_ms(said.value("xentop", ""), name);
  for (const json& one : said.value("guests", json::array())) {
    if (one.value("name", "") != name) continue;
    const auto ms = [&](const char* field) { return one.value(field, 0.0) * kMsPerNs; };
    peers.process_ticks = ms("ticks_ns");
    peers.kvmtop = ms("virtual_cpus_ns") + ms("other_threads_ns");
    peers.control_group = *peers.kvmtop + ms("vhost_ns");
  }
  return peers;
}

std::string driver_of(const std::string& platform) {
  return platform.starts_with("xen") ? "Domain-0" : "host";
}

Window observe(const LabMachine& machine, const std::string& platform, int guests, const std::string& loads,
               const BenchWork& first) {
  Trial trial;
  trial.factors = {{"platform", platform},
                   {"workload", "tcp-stream"},
                   {"topology", "card"},
                   {"offloads", "on"},
                   {"write_bytes", "65536"},
                   {"bytes", std::to_string(first.kibibytes * 1024)},
                   {"warmup_bytes", "1048576"},
                   {"direction", first.receives ? "receive" : "send"},
                   {"guests", std::to_string(guests)},
                   {"loads", loads},
                   {"guest_cpu", "own"}};
  json plan = json::parse(must(plan_of(trial)));
  plan["watch"] = true;
  const auto seen = machine.observe(plan.dump(), [](std::string_view) {});
  if (!seen) quit(seen.error().text());
  const auto ledger = must(machine.ledger_of(*seen, {kPeerCpu}));
  const json answer = json::parse(seen->answer, nullptr, false);
  Window window;
  window.watch = answer.value("watch", json::object());
  const auto exact = [&](const std::string& domain) {
    double sum = 0;
    for (const LedgerEntry& row : ledger.entries)
      if (row.kind == "instructions" && row.layer != Layer::idle && row.domain == domain)
        sum += static_cast<double>(row.value) * kMsPerInstruction;
    return sum;
  };
  window.exact_driver = exact(driver_of(platform));
  const json other = window.watch.value("other", json::object());
  window.not_charged = (other.value("driver_ns", 0.0) + other.value("uncharged_ns", 0.0)) * kMsPerNs;
  for (int number = 1; number <= guests; ++number) {
    const std::string name = fmt::format("guest{}", number);
    Guest guest;
    guest.exact_own = exact(name);
    guest.peers = peers_of(answer.value("peers", json::object()), name);
    for (const json& one : window.watch.value("guests", json::array())) {
      if (one.value("name", "") != name) continue;
      guest.own = one.value("own_ns", 0.0) * kMsPerNs;
      guest.told = (one.value("threads_ns", 0.0) + one.value("packets_ns", 0.0)) * kMsPerNs;
      guest.shared = one.value("shared_ns", 0.0) * kMsPerNs;
      guest.packets = one.value("packets", 0.0);
    }
    window.guests.push_back(guest);
  }
  fmt::print(stderr, "{}\n", window.watch.dump());
  return window;
}

std::string per_cent(double says, double exact) {
  return exact > 0 ? fmt::format("{:+.1f} %", (says / exact - 1) * 100) : "-";
}

std::string per_cent_or_dash(const std::optional<double>& says, double exact) {
  return says ? per_cent(*says, exact) : "-";
}

// Domain-0's xentop and its libraries, which the lab's image does not have.
LabImage with_xentop(LabImage image, const fs::path& xen_packages, const fs::path& folder) {
  CpioArchive extra;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(xen_packages, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool is_library = name.find(".so.") != std::string::npos &&
                            (name.starts_with("libxen") || name.starts_with("libncurses.") ||
                             name.starts_with("libtinfo.") || name.starts_with("libyajl."));
    if (!is_library && name != "xentop") continue;
    if (!fs::is_regular_file(entry->path(), error)) continue;
    extra.file(fs::relative(entry->path(), xen_packages).string(), must(read_file(entry->path())), 0755);
  }
  return image_with(std::move(image), extra, folder);
}

class Bench {
 public:
  explicit Bench(bool alike)
      : alike_(alike),
        cache_(must(PackageCache::open())),
        qemu_(must(fetch_qemu(cache_, [](std::string_view) {}))) {}

  void measure(const std::string& platform) {
    for (const int guests : {1, 2, 4}) {
      if (platform.starts_with("kvm") && guests > 2) continue;
      const auto machine = boot(platform, guests);
      if (guests == 1) {
        alone_.clear();
        idle_ = observe(*machine, platform, 1, "equal", {true, 1}).exact_driver;
        for (const bool receives : {true, false})
          for (int part = 1; part <= (alike_ ? 1 : 8); part *= 2) {
            const BenchWork work{receives, kMostMebibytes * 1024 / part};
            const Window window = observe(*machine, platform, 1, "equal", work);
            alone_[work] = window.exact_driver - idle_;
            print(fmt::format("{}, 1, {} {} KiB", platform, receives ? "receives" : "sends", work.kibibytes),
                  window, {work});
          }
        continue;
      }
      for (const std::string loads : {"equal", "halving", "opposed"}) {
        if (alike_ && loads == "halving") continue;
        std::vector<BenchWork> works;
        for (int guest = 0; guest < guests; ++guest)
          works.push_back({loads != "opposed" || guest % 2 == 0,
                           kMostMebibytes * 1024 / (loads == "halving" ? 1 << guest : 1)});
        print(fmt::format("{}, {}, {}", platform, guests, loads),
              observe(*machine, platform, guests, loads, works.front()), works);
      }
    }
  }

  void print_peers() const {
    fmt::print(
        "\n| platform, guests, loads | guest | own and driver work: exact, ms | vtax top | equations 4.6 and "
        "4.7 | "
        "xentop | libvirt's exporters | control group | kvmtop |\n|---|---|---|---|---|---|---|---|---|\n");
    for (const std::string& row : peers_) fmt::print("{}", row);
  }

 private:
  [[nodiscard]] std::unique_ptr<LabMachine> boot(const std::string& platform, int guests) {
    MachineShape shape;
    shape.guests = guests;
    auto image = must(build_lab_image(lab_machine_of(platform), {}, cache_, Apt(), [](std::string_view) {}));
    if (platform.starts_with("xen"))
      if (const auto packages = cache_.find(PackageSet::xen))
        image = with_xentop(std::move(image), packages->root, folder_.path);
    auto machine =
        must(LabMachine::prepare(std::move(image), "/proc/self/exe", qemu_, must(find_probe(qemu_)), shape));
    SnapshotStore store(folder_.path);
    const auto booted =
        machine->boot(store, [](std::string_view step) { fmt::print(stderr, "watch_error: {}\n", step); });
    if (!booted) quit(booted.error().text());
    return machine;
  }

  // The truth of each guest's driver work: the window's, in the proportion of what each guest's work costs
  // alone, beyond what a window with next to no work costs.
  void print(const std::string& name, const Window& window, const std::vector<BenchWork>& works) {
    double alone = 0, caused = 0;
    std::vector<std::uint64_t> packets;
    for (const BenchWork& work : works) alone += alone_.at(work);
    for (const Guest& guest : window.guests) {
      caused += guest.caused();
      packets.push_back(static_cast<std::uint64_t>(guest.packets));
    }
    const double for_guests = window.exact_driver - idle_;
    const auto by_packets = charge_by_packets(caused, packets);
    const auto all_by_packets = charge_by_packets(caused + window.not_charged, packets);
    for (std::size_t i = 0; i < works.size(); ++i) {
      const Guest& guest = window.guests[i];
      const double exact = for_guests * alone_.at(works[i]) / alone;
      fmt::print("| {} | {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.2f} | {:.2f} | {} | {} |\n", name, i + 1,
                 guest.exact_own, guest.own, per_cent(guest.own, guest.exact_own), exact, guest.caused(),
                 guest.shared, per_cent(guest.caused(), exact),
                 by_packets ? per_cent(by_packets->to_guests[i], exact) : "-");
      const double whole = guest.exact_own + exact;
      peers_.push_back(fmt::format(
          "| {} | {} | {:.2f} | {} | {} | {} | {} | {} | {} |\n", name, i + 1, whole,
          per_cent(guest.own + guest.caused(), whole),
          all_by_packets ? per_cent(guest.own + all_by_packets->to_guests[i], whole) : "-",
          per_cent_or_dash(guest.peers.xentop, whole), per_cent_or_dash(guest.peers.process_ticks, whole),
          per_cent_or_dash(guest.peers.control_group, whole), per_cent_or_dash(guest.peers.kvmtop, whole)));
    }
    fmt::print("| {} | all | | | | {:.2f} | {:.2f} | | {} | alone {}, idle {:.2f} ms |\n", name, for_guests,
               caused, per_cent(caused, for_guests), per_cent(alone, for_guests), idle_);
    std::fflush(stdout);
  }

  bool alike_;
  OwnFolder folder_;
  PackageCache cache_;
  Qemu qemu_;
  std::vector<std::string> peers_;     // rows
  std::map<BenchWork, double> alone_;  // exact driver work of one guest that works alone, ms
  double idle_ = 0;                    // of a window of one KiB
};

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also PID 1 of the machines, and Xen's hotplug program.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  std::vector<std::string> platforms(argv + 1, argv + argc);
  const bool alike = !platforms.empty() && platforms.front() == "alike";
  if (alike) platforms.erase(platforms.begin());
  if (platforms.empty()) platforms = {"xen-pv", "xen-pvh", "kvm"};
  fmt::print(
      "| platform, guests, loads | guest | own: exact, ms | says | error | driver work: exact, ms | says | "
      "of that "
      "shared | error | by packets |\n|---|---|---|---|---|---|---|---|---|---|\n");
  vtax::Bench bench(alike);
  for (const std::string& platform : platforms) bench.measure(platform);
  bench.print_peers();
  return 0;
}
