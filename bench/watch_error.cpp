// What the monitor of a running computer (vtax::watch::Watch) charges to guests, beside the probe's exact
// counts of the same window, and beside what others would say: a split of the same driver work by packets
// (equation 4.7), and in a second table, of each guest's own and driver work together, equations 4.6 and 4.7
// over all that the driver did (by its exact time: the traffic's peer is in its domain, and left out),
// Debian's xentop, what libvirt's exporters show of QEMU, a control group's sum, and kvmtop's.
//
//   watch_error [alike] [guests=1|2|4] [kept=FILE] [PLATFORM...]
//
// Platforms: xen-pv, xen-pvh, kvm, kvm-qemu; without: xen-pv, xen-pvh, kvm. "alike" leaves out loads that are
// halved from one guest to the next, and disks, and takes half the time; "guests" is how many there are at
// most (4). In the lab, over cards; every guest on a CPU of its own, the driver domain on CPU 0, of which all
// is driver work. What the truth is and is not: docs/design/watch.md, "The truth". Each window is said on
// standard error when it is measured, and written to FILE; what stands there is not measured again. The
// tables come at the end.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

// What is read of a disk is written first, within the monitor's reading and outside of the window.
enum class Does { receives, sends, writes_disk };

struct BenchWork {
  Does does = Does::receives;
  int kibibytes = 0;
  auto operator<=>(const BenchWork&) const = default;
  [[nodiscard]] bool is_of_disk() const { return does == Does::writes_disk; }
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

using ByFunction = std::map<std::string, double>;  // ms

struct Window {
  double exact_driver = 0;  // all of the driver's CPU but idleness
  ByFunction driver_functions;
  std::vector<Guest> guests;
};

// A machine's window: what is asked of it.
struct Asked {
  std::string platform, loads;
  int guests = 1;
  BenchWork first;

  [[nodiscard]] std::string name() const {
    static constexpr std::string_view kDoes[] = {"receives", "sends", "writes disk"};
    return fmt::format("{}, {}, {} {} KiB{}", platform, guests, kDoes[static_cast<std::size_t>(first.does)],
                       first.kibibytes, guests > 1 ? ", " + loads : "");
  }
  [[nodiscard]] std::vector<BenchWork> works() const {
    std::vector<BenchWork> all;
    for (int guest = 0; guest < guests; ++guest) {
      const bool opposite = loads == "opposed" && guest % 2 == 1;
      all.push_back(
          {opposite ? Does::sends : first.does, first.kibibytes >> (loads == "halving" ? guest : 0)});
    }
    return all;
  }
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

std::map<std::string, std::string> factors_of(const Asked& asked) {
  std::map<std::string, std::string> factors = {{"platform", asked.platform},
                                                {"topology", "card"},
                                                {"offloads", "on"},
                                                {"bytes", std::to_string(asked.first.kibibytes * 1024)},
                                                {"guests", std::to_string(asked.guests)},
                                                {"loads", asked.loads},
                                                {"guest_cpu", "own"}};
  if (asked.first.is_of_disk())
    factors.merge(std::map<std::string, std::string>{{"workload", "disk"},
                                                     {"block_bytes", "65536"},
                                                     {"operation", "write"},
                                                     {"pattern", "sequential"},
                                                     {"direct", "on"},
                                                     {"store", "memory"}});
  else
    factors.merge(std::map<std::string, std::string>{
        {"workload", "tcp-stream"},
        {"write_bytes", "65536"},
        {"warmup_bytes", "1048576"},
        {"direction", asked.first.does == Does::receives ? "receive" : "send"}});
  return factors;
}

// What is kept of a window: {"exact": {domain: ms}, "functions": {driver's function: ms}, "watch", "peers"}.
json observe(const LabMachine& machine, const Asked& asked) {
  Trial trial;
  trial.factors = factors_of(asked);
  json plan = json::parse(must(plan_of(trial)));
  plan["watch"] = true;
  const auto seen = machine.observe(plan.dump(), [](std::string_view) {});
  if (!seen) quit(seen.error().text());
  const auto ledger = must(machine.ledger_of(*seen, {kPeerCpu}));
  const json answer = json::parse(seen->answer, nullptr, false);
  std::map<std::string, double> exact;
  for (const LedgerEntry& row : ledger.entries)
    if (row.kind == "instructions" && row.layer != Layer::idle)
      exact[row.domain] += static_cast<double>(row.value) * kMsPerInstruction;
  ByFunction functions;
  for (const FunctionCost& cost : ledger.functions)
    if (cost.domain == driver_of(asked.platform) && cost.layer != Layer::idle)
      functions[cost.image + " " + cost.function] +=
          static_cast<double>(cost.instructions.value) * kMsPerInstruction;
  return {{"exact", exact},
          {"functions", functions},
          {"watch", answer.value("watch", json::object())},
          {"peers", answer.value("peers", json::object())}};
}

Window window_of(const Asked& asked, const json& kept) {
  Window window;
  const json& exact = kept["exact"];
  window.exact_driver = exact.value(driver_of(asked.platform), 0.0);
  window.driver_functions = kept.value("functions", ByFunction());
  for (int number = 1; number <= asked.guests; ++number) {
    const std::string name = fmt::format("guest{}", number);
    Guest guest;
    guest.exact_own = exact.value(name, 0.0);
    guest.peers = peers_of(kept["peers"], name);
    for (const json& one : kept["watch"].value("guests", json::array())) {
      if (one.value("name", "") != name) continue;
      guest.own = one.value("own_ns", 0.0) * kMsPerNs;
      guest.told = (one.value("threads_ns", 0.0) + one.value("packets_ns", 0.0)) * kMsPerNs;
      guest.shared = one.value("shared_ns", 0.0) * kMsPerNs;
      guest.packets = one.value("packets", 0.0);
    }
    window.guests.push_back(guest);
  }
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
    const bool is_library =
        name.find(".so.") != std::string::npos &&
        (name.starts_with("libxen") || name.starts_with("libncurses.") || name.starts_with("libtinfo.") ||
         name.starts_with("libyajl.") || name.starts_with("libm."));
    if (!is_library && name != "xentop") continue;
    std::error_code no_file;
    if (!fs::is_regular_file(entry->path(), no_file)) continue;
    // Not fs::relative(): programs ask for the links' names.
    extra.file(entry->path().lexically_relative(xen_packages).string(), must(read_file(entry->path())), 0755);
  }
  return image_with(std::move(image), extra, folder);
}

// Windows that were measured, by their names: a line of JSON each.
class KeptWindows {
 public:
  explicit KeptWindows(std::string file) : file_(std::move(file)) {
    std::ifstream lines(file_);
    for (std::string line; std::getline(lines, line);) {
      const json one = json::parse(line, nullptr, false);
      if (one.is_object() && one.contains("window") && one["window"].contains("functions"))
        windows_[one.value("name", "")] = one["window"];
    }
  }
  [[nodiscard]] const json* find(const std::string& name) const {
    const auto found = windows_.find(name);
    return found == windows_.end() ? nullptr : &found->second;
  }
  const json& keep(const std::string& name, json window) {
    if (!file_.empty())
      std::ofstream(file_, std::ios::app) << json{{"name", name}, {"window", window}}.dump() << std::endl;
    return windows_[name] = std::move(window);
  }

 private:
  std::string file_;
  std::map<std::string, json> windows_;
};

class Bench {
 public:
  Bench(bool alike, int most_guests, std::string kept)
      : alike_(alike),
        most_guests_(most_guests),
        kept_(std::move(kept)),
        cache_(must(PackageCache::open())),
        qemu_(must(fetch_qemu(cache_, [](std::string_view) {}))) {}

  void measure(const std::string& platform) {
    alone_.clear();
    machine_.reset();
    idle_network_ = window(Asked{platform, "equal", 1, {Does::receives, 1}});
    measure_alone(platform, {Does::receives, Does::sends});
    if (!alike_) {
      idle_disk_ = window(Asked{platform, "equal", 1, {Does::writes_disk, kBlockKibibytes}});
      measure_alone(platform, {Does::writes_disk});
    }
    for (const int guests : {2, 4}) {
      if (guests > most_guests_) continue;
      machine_.reset();
      for (const std::string loads : {"equal", "opposed", "halving"})
        if (!alike_ || loads != "halving")
          add_rows(Asked{platform, loads, guests, {Does::receives, kMostMebibytes * 1024}});
      if (!alike_)
        for (const std::string loads : {"equal", "halving"})
          add_rows(Asked{platform, loads, guests, {Does::writes_disk, kMostMebibytes * 1024}});
    }
    machine_.reset();
  }

  void print() const {
    fmt::print(
        "| platform, guests, loads | guest | own: exact, ms | says | error | driver work: exact, ms | says "
        "| of that shared | error | by packets |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (const std::string& row : parts_) fmt::print("{}", row);
    fmt::print(
        "\n| platform, guests, loads | guest | own and driver work: exact, ms | vtax top | equations 4.6 and "
        "4.7 | xentop | libvirt's exporters | control group | kvmtop |\n|---|---|---|---|---|---|---|---|---|"
        "\n");
    for (const std::string& row : peers_) fmt::print("{}", row);
  }

 private:
  static constexpr int kBlockKibibytes = 64;

  void measure_alone(const std::string& platform, std::initializer_list<Does> kinds) {
    for (const Does does : kinds)
      for (int part = 1; part <= (alike_ || does == Does::sends ? 1 : 8); part *= 2) {
        const Asked asked{platform, "equal", 1, {does, kMostMebibytes * 1024 / part}};
        alone_[asked.first] = beyond(window(asked), idle_of(asked.first));
        add_rows(asked);
      }
  }

  [[nodiscard]] const Window& idle_of(const BenchWork& work) const {
    return work.is_of_disk() ? idle_disk_ : idle_network_;
  }

  // The driver's work of a window beyond what one with next to no work costs.
  [[nodiscard]] static Window beyond(Window window, const Window& idle) {
    window.exact_driver -= idle.exact_driver;
    for (auto& [function, ms] : window.driver_functions) {
      const auto known = idle.driver_functions.find(function);
      if (known != idle.driver_functions.end()) ms -= known->second;
    }
    return window;
  }

  // What each of these works has of what they cost together: function by function as each costs alone, for a
  // function may be dearer alone; what none of them executes alone, as all the others are.
  [[nodiscard]] std::vector<double> parts_of(const Window& together,
                                             const std::vector<BenchWork>& works) const {
    std::vector<double> parts(works.size());
    double told = 0;
    for (const auto& [function, ms] : together.driver_functions) {
      std::vector<double> alone;
      double all = 0;
      for (const BenchWork& work : works) {
        const ByFunction& functions = alone_.at(work).driver_functions;
        const auto known = functions.find(function);
        alone.push_back(known == functions.end() ? 0 : std::max(known->second, 0.0));
        all += alone.back();
      }
      if (all <= 0) continue;
      told += ms;
      for (std::size_t i = 0; i < works.size(); ++i) parts[i] += ms * alone[i] / all;
    }
    for (double& part : parts) part *= together.exact_driver / told;
    return parts;
  }

  // Boots only for what is not kept.
  [[nodiscard]] Window window(const Asked& asked) {
    if (const json* kept = kept_.find(asked.name())) return window_of(asked, *kept);
    if (!machine_) machine_ = boot(asked.platform, asked.guests);
    return window_of(asked, kept_.keep(asked.name(), observe(*machine_, asked)));
  }

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

  // The truth of each guest's driver work: docs/design/watch.md, "The truth".
  void add_rows(const Asked& asked) {
    const Window seen = window(asked);
    const auto works = asked.works();
    double alone = 0, caused = 0;
    std::vector<std::uint64_t> packets;
    for (const BenchWork& work : works) alone += alone_.at(work).exact_driver;
    for (const Guest& guest : seen.guests) {
      caused += guest.caused();
      packets.push_back(static_cast<std::uint64_t>(guest.packets));
    }
    const double idle = idle_of(asked.first).exact_driver;
    const Window together = beyond(seen, idle_of(asked.first));
    const double for_guests = together.exact_driver;
    const std::vector<double> parts = parts_of(together, works);
    const auto by_packets = charge_by_packets(caused, packets);
    const auto all_by_packets = charge_by_packets(seen.exact_driver, packets);
    for (std::size_t i = 0; i < works.size(); ++i) {
      const Guest& guest = seen.guests[i];
      const double exact = parts[i];
      add(parts_,
          fmt::format("| {} | {} | {:.2f} | {:.2f} | {} | {:.2f} | {:.2f} | {:.2f} | {} | {} |\n",
                      asked.name(), i + 1, guest.exact_own, guest.own, per_cent(guest.own, guest.exact_own),
                      exact, guest.caused(), guest.shared, per_cent(guest.caused(), exact),
                      by_packets ? per_cent(by_packets->to_guests[i], exact) : "-"));
      const double whole = guest.exact_own + exact;
      add(peers_,
          fmt::format("| {} | {} | {:.2f} | {} | {} | {} | {} | {} | {} |\n", asked.name(), i + 1, whole,
                      per_cent(guest.own + guest.caused(), whole),
                      all_by_packets ? per_cent(guest.own + all_by_packets->to_guests[i], whole) : "-",
                      per_cent_or_dash(guest.peers.xentop, whole),
                      per_cent_or_dash(guest.peers.process_ticks, whole),
                      per_cent_or_dash(guest.peers.control_group, whole),
                      per_cent_or_dash(guest.peers.kvmtop, whole)));
    }
    add(parts_,
        fmt::format("| {} | all | | | | {:.2f} | {:.2f} | | {} | alone {}, idle {:.2f} ms |\n", asked.name(),
                    for_guests, caused, per_cent(caused, for_guests), per_cent(alone, for_guests), idle));
  }

  static void add(std::vector<std::string>& rows, std::string row) {
    fmt::print(stderr, "{}", row);
    rows.push_back(std::move(row));
  }

  bool alike_;
  int most_guests_;
  KeptWindows kept_;
  OwnFolder folder_;
  PackageCache cache_;
  Qemu qemu_;
  std::unique_ptr<LabMachine> machine_;     // of the windows that are measured now
  std::vector<std::string> parts_, peers_;  // rows
  std::map<BenchWork, Window> alone_;       // of one guest that works alone, beyond the next
  Window idle_network_, idle_disk_;         // of one KiB, of one block
};

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also PID 1 of the machines, and Xen's hotplug program.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  constexpr std::string_view kKept = "kept=", kGuests = "guests=";
  bool alike = false;
  int most_guests = 4;
  std::string kept;
  std::vector<std::string> platforms;
  for (const std::string_view word : std::vector<std::string_view>(argv + 1, argv + argc)) {
    if (word == "alike")
      alike = true;
    else if (word.starts_with(kGuests))
      most_guests = std::atoi(word.substr(kGuests.size()).data());
    else if (word.starts_with(kKept))
      kept = word.substr(kKept.size());
    else
      platforms.emplace_back(word);
  }
  if (platforms.empty()) platforms = {"xen-pv", "xen-pvh", "kvm"};
  vtax::Bench bench(alike, most_guests, kept);
  for (const std::string& platform : platforms) bench.measure(platform);
  bench.print();
  return 0;
}
