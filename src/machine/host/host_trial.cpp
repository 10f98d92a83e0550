#include "machine/host/host_trial.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "agent/http_trial.h"
#include "agent/local_trial.h"
#include "agent/plan.h"
#include "agent/trial.h"
#include "core/files.h"
#include "core/sha256.h"
#include "machine/host/counter_watch.h"
#include "machine/host/window_readings.h"
#include "machine/host/xen_keeper.h"
#include "machine/lab/guest_result.h"
#include "machine/lab/lab_machine.h"
#include "meter/host_course.h"
#include "meter/host_ledger.h"
#include "meter/softirq_clock.h"
#include "meter/xen_ledger.h"
#include "platform/tap_guest.h"
#include "platform/xen_guest.h"
#include "record/timeline_text.h"

namespace vtax::host {
namespace {

using meter::CpuReading;
using meter::SoftirqClock;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

// Quiet times around the work; longer than Linux's longest delayed acknowledgement (200 ms).
constexpr std::chrono::milliseconds host_settle{250};
constexpr std::chrono::minutes work_limit{10};
constexpr std::chrono::minutes trial_limit{15};

std::int64_t ns_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

// The first two CPUs of this process; one twice where there is no other.
Setup host_setup(const agent::Plan& plan) {
  Setup setup;
  setup.topology = Topology::inside;
  setup.offloads = plan.offloads;
  setup.forwarding = plan.driver.forwarding;
  setup.guests = plan.guests;
  setup.softload_percent = plan.softload_percent;
  setup.link_bits_per_second = plan.link_bits_per_second;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu)
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) cpus.push_back(cpu);
  setup.peer_cpu = cpus.empty() ? 0 : cpus.front();
  setup.system_cpu = cpus.empty() ? 0 : cpus.back();
  return setup;
}

bool is_xen(std::string_view name) {
  return name.starts_with("xen-");
}

// Who makes a trial's domains; started outside of the sandbox. Nothing: the platform has none.
Result<std::optional<XenKeeper>> keeper_for(const std::string& platform,
                                            const std::map<std::string, GuestParts>& guests) {
  const auto parts = guests.find(platform);
  if (!is_xen(platform) || parts == guests.end()) return std::optional<XenKeeper>();
  auto keeper = XenKeeper::start(parts->second.toolstack);
  if (!keeper) return fail(keeper.error());
  return std::optional(std::move(*keeper));
}

// `owner`: this program's number, by which the domains are named.
Result<std::unique_ptr<Platform>> platform_of(const std::string& name,
                                              const std::map<std::string, GuestParts>& guests,
                                              std::optional<XenKeeper>& keeper, pid_t owner) {
  if (name == "native") return make_native();
  if (name == "container") return make_container();
  const auto parts = guests.find(name);
  if (parts == guests.end())
    return fail(Error{"make the platform " + name, "it does not run on this computer", "vtax doctor says why",
                      ExitCode::unavailable});
  if (keeper)
    return make_xen_guests(
        {name.substr(name.find('-') + 1), parts->second.image, fmt::format("vtax-{}-", owner),
         outer_proc() / "1/ns/net", parts->second.toolstack.nothing},
        keeper->hands());
  if (name == "uml") return make_uml(parts->second.image, scratch_directory);
  const auto way = name == "kvm"        ? Acceleration::kvm_with_vhost
                   : name == "kvm-qemu" ? Acceleration::kvm
                                        : Acceleration::tcg;
  return make_qemu(parts->second.image, parts->second.emulator, way);
}

// The lab's plan, but for the platform, as the agent's names are the lab's, and for the link, which is a veth
// pair here.
Result<agent::Plan> host_plan(const Trial& trial) {
  Trial as_lab = trial;
  as_lab.factors["platform"] = "native";
  std::uint64_t megabits = 0;
  if (const auto link = as_lab.factors.extract("link_mbps"))
    std::from_chars(link.mapped().data(), link.mapped().data() + link.mapped().size(), megabits);
  const auto text = lab::plan_of(as_lab);
  if (!text) return fail(text.error());
  auto plan = agent::parse_plan(*text);
  if (plan) {
    plan->time_limit = work_limit;
    plan->link_bits_per_second = megabits * 1'000'000;
  }
  return plan;
}

using SoftirqTimes = std::map<SoftirqClock::Key, std::vector<std::uint64_t>>;

// The numbers of the network namespaces of the trial: this process's, and those of the bench's processes.
std::set<std::uint32_t> namespaces_of(const std::vector<MeteredProcess>& processes) {
  std::set<std::uint32_t> numbers;
  struct stat status {};
  if (stat("/proc/self/ns/net", &status) == 0) numbers.insert(static_cast<std::uint32_t>(status.st_ino));
  for (const MeteredProcess& metered : processes)
    if (stat(fmt::format("/proc/{}/ns/net", metered.process).c_str(), &status) == 0)
      numbers.insert(static_cast<std::uint32_t>(status.st_ino));
  return numbers;
}

// Watches the network softirqs of the window, if this kernel and user may; otherwise says why not.
class SoftirqWatch {
 public:
  SoftirqWatch() {
    auto clock = SoftirqClock::start();
    if (clock)
      clock_.emplace(std::move(*clock));
    else
      why_not_ = clock.error().why;
  }
  void begin() { before_ = read(); }
  void end() { after_ = read(); }
  [[nodiscard]] const SoftirqTimes& at_end() const { return after_; }

  [[nodiscard]] SoftirqTimes read() const {
    if (!clock_) return {};
    auto times = clock_->read();
    return times ? std::move(*times) : SoftirqTimes{};
  }

  // What no thread of the trial had in its books until then, by CPU.
  [[nodiscard]] std::map<int, std::uint64_t> packets(const std::set<std::uint32_t>& namespaces,
                                                     const SoftirqTimes& until) const {
    std::map<int, std::uint64_t> out;
    each(until, [&](const SoftirqClock::Key& key, int cpu, std::uint64_t ns) {
      if (!key.on_own_thread && namespaces.contains(key.network_namespace)) out[cpu] += ns;
    });
    return out;
  }

  void describe(json& meter, const std::set<std::uint32_t>& namespaces) const {
    if (!clock_) {
      meter["softirqs"] = "not watched: " + why_not_;
      return;
    }
    std::uint64_t own = 0, others = 0, foreign = 0;
    each(after_, [&](const SoftirqClock::Key& key, int, std::uint64_t ns) {
      if (namespaces.contains(key.network_namespace))
        (key.on_own_thread ? own : others) += ns;
      else if (key.on_own_thread)
        foreign += ns;
    });
    meter["softirqs"] = "watched by BPF";
    meter["packets_on_own_threads_ns"] = own;
    meter["packets_on_other_threads_ns"] = others;
    meter["foreign_packets_on_own_threads_ns"] = foreign;
  }

 private:
  template <class Use>
  void each(const SoftirqTimes& until, const Use& use) const {
    for (const auto& [key, values] : until) {
      const auto earlier = before_.find(key);
      for (std::size_t cpu = 0; cpu < values.size(); ++cpu) {
        const std::uint64_t start = earlier == before_.end() ? 0 : earlier->second[cpu];
        use(key, static_cast<int>(cpu), values[cpu] - std::min(start, values[cpu]));
      }
    }
  }

  std::optional<SoftirqClock> clock_;
  std::string why_not_;
  SoftirqTimes before_, after_;
};

json to_json(const std::vector<LedgerEntry>& ledger) {
  json rows = json::array();
  for (const LedgerEntry& e : ledger)
    rows.push_back({{"cpu", e.cpu},
                    {"domain", e.domain},
                    {"layer", name(e.layer)},
                    {"part", name(e.part)},
                    {"kind", e.kind},
                    {"value", e.value}});
  return rows;
}

// Taking a platform down link by link would wait for the kernel at each of them, some 25 ms; all of it ends
// with the sandbox anyhow, guests too, which are processes of its namespace.
void leave_to_sandbox(std::unique_ptr<Platform> platform) {
  static_cast<void>(platform.release());
}

// Each system's disk is a file that is unlinked as soon as it is open.
std::vector<std::string> host_disks(const agent::Plan& plan) {
  if (!agent::has_disk(plan)) return {};
  const std::string name = fmt::format("vtax-disk-{:x}", Clock::now().time_since_epoch().count());
  std::error_code error;
  std::filesystem::path folder = scratch_directory;
  if (plan.local->in_tmpdir) folder = std::filesystem::temp_directory_path(error);
  if (error) folder = "/tmp";
  std::vector<std::string> disks;
  for (int guest = 1; guest <= plan.guests; ++guest)
    disks.push_back((folder / fmt::format("{}-{}", name, guest)).string());
  return disks;
}

Result<json> work_of(const agent::Plan& plan, Bench& bench, const agent::WindowHooks& hooks) {
  if (plan.http) return agent::run_http_trial(plan, bench, host_settle, hooks);
  if (plan.local) return agent::run_local_trial(plan, bench, host_disks(plan), hooks);
  return agent::run_trial(plan, bench, host_settle, hooks);
}

// What the books say before and after the window, and in its course.
class Books {
 public:
  Books(const Bench& bench, bool counters, bool with_course)
      : bench_(bench), systems_(bench), with_course_(with_course), counters_(counters) {
    seen_.books.processes = bench.processes;
    seen_.guest_domains = bench.xen_domains;
  }

  // Xen's counters next to the window: reading /proc takes much longer.
  agent::WindowHooks hooks() {
    agent::WindowHooks hooks;
    hooks.before = [this] {
      softirqs_.begin();
      devices_before_ = systems_.read();
      Result<> read = read_proc(seen_.books.before);
      counters_.begin(seen_.books.before, seen_.books.processes);
      if (read) read = read_xen(seen_.before);
      if (read && with_course_) course_.start([this] { return read_within(); }, bench_.processes);
      return read;
    };
    hooks.after = [this] {
      counters_.end();
      within_ = course_.stop();
      Result<> read = read_xen(seen_.after);
      if (read) read = read_proc(seen_.books.after);
      softirqs_.end();
      devices_after_ = systems_.read();
      return read;
    };
    return hooks;
  }

  // `result`: the work's.
  std::vector<LedgerEntry> ledger(const json& result) {
    for (const json& ns : result.value("systems_user_ns", json::array()))
      seen_.books.guest_programs_ns.push_back(ns.get<std::uint64_t>());
    seen_.books.packets_ns = softirqs_.packets(namespaces_of(bench_.processes), softirqs_.at_end());
    auto rows = ledger_of(seen_);
    counters_.add_rows(seen_.books, on_xen() ? "Domain-0" : "host", rows);
    return rows;
  }

  // After ledger(). Readings too near to the window's end are no slice's.
  Timeline course(const std::vector<LedgerEntry>& window) {
    const auto namespaces = namespaces_of(bench_.processes);
    const std::uint64_t end_ns = span_of(seen_);
    std::vector<meter::LedgerUpTo> ledgers;
    std::vector<std::vector<DeviceCounters>> devices{devices_before_};
    for (WindowReading& reading : within_) {
      meter::XenLedgerInput until = seen_;
      until.books.after = std::move(reading.books);
      until.after = std::move(reading.xen);
      until.books.packets_ns = softirqs_.packets(namespaces, reading.softirqs);
      const std::uint64_t at = span_of(until);
      if (at + least_slice_ns > end_ns) break;
      ledgers.push_back({at, ledger_of(until)});
      devices.push_back(std::move(reading.devices));
    }
    ledgers.push_back({end_ns, window});
    devices.push_back(devices_after_);
    Timeline timeline = meter::host_course(ledgers);
    if (!timeline.empty()) timeline.devices = systems_.course(devices);
    return timeline;
  }

  [[nodiscard]] json describe() const {
    json meter = {{"span_ns", span_of(seen_)}, {"sources", {"/proc/PID/task/TID/schedstat", "/proc/stat"}}};
    if (on_xen()) meter["sources"].push_back("XEN_DOMCTL_getvcpuinfo");
    if (with_course_) {
      meter["readings_within"] = course_.taken();
      meter["readings_within_ns"] = course_.spent().count();
    }
    softirqs_.describe(meter, namespaces_of(bench_.processes));
    counters_.describe(meter);
    return meter;
  }

 private:
  [[nodiscard]] bool on_xen() const { return !seen_.guest_domains.empty(); }

  // Device models of Xen's guests.
  [[nodiscard]] std::set<int> outer_processes() const {
    std::set<int> numbers;
    for (const MeteredProcess& metered : bench_.processes)
      if (metered.process < 0) numbers.insert(-metered.process);
    return numbers;
  }

  [[nodiscard]] std::vector<LedgerEntry> ledger_of(const meter::XenLedgerInput& input) const {
    return on_xen() ? meter::xen_ledger(input) : meter::host_ledger(input.books);
  }

  [[nodiscard]] std::uint64_t span_of(const meter::XenLedgerInput& input) const {
    const auto span =
        on_xen() ? input.after.at - input.before.at : input.books.after.at - input.books.before.at;
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count());
  }

  Result<WindowReading> read_within() const {
    WindowReading reading;
    Result<> read = read_xen(reading.xen);
    if (read) read = read_proc(reading.books);
    if (!read) return fail(read.error());
    reading.softirqs = softirqs_.read();
    reading.devices = systems_.read();
    return reading;
  }

  Result<> read_proc(CpuReading& into) const {
    // Guests of KVM and device models alone have threads out there, and looking for them takes longer than
    // all else.
    const meter::OursOutside ours{bench_.kernel_threads, outer_processes()};
    const bool has_vhost = std::any_of(bench_.processes.begin(), bench_.processes.end(),
                                       [](const auto& p) { return p.role == MeteredProcess::Role::kvm; });
    const bool looks_outside = has_vhost || !ours.processes.empty();
    auto reading =
        meter::read_cpu_time(looks_outside ? outer_proc() : std::filesystem::path(), ours.processes);
    if (!reading) return fail(reading.error());
    into = std::move(*reading);
    if (!on_xen()) return {};
    into.outside = meter::read_outside_threads(outer_proc(), ours);
    // There all that runs on the partner's CPU is the trial's, but for what is told here: the thread of the
    // readings within. (This one works beside the window alone.)
    for (const auto& [id, thread] : into.threads)
      if (thread.process == getpid() && id != getpid()) into.outside[-id] = {thread.run_ns, thread.cpu};
    return {};
  }

  Result<> read_xen(meter::XenReading& into) const {
    if (!on_xen()) return {};
    std::vector<int> domains{0};
    domains.insert(domains.end(), seen_.guest_domains.begin(), seen_.guest_domains.end());
    auto times = meter::read_xen_times(domains);
    if (!times) return fail(times.error());
    into = {Clock::now(), std::move(*times)};
    return {};
  }

  static constexpr std::uint64_t least_slice_ns =
      std::chrono::nanoseconds(WindowReadings::usual_interval).count() / 2;

  const Bench& bench_;
  CountedSystems systems_;
  bool with_course_;
  meter::XenLedgerInput seen_;
  SoftirqWatch softirqs_;
  CounterWatch counters_;
  std::vector<DeviceCounters> devices_before_, devices_after_;
  std::vector<WindowReading> within_;
  WindowReadings course_;  // the last: its thread uses the others
};

// Inside the sandbox.
Result<json> measure(const std::string& name, const agent::Plan& plan, bool counters,
                     const std::map<std::string, GuestParts>& guests, std::optional<XenKeeper>& keeper,
                     pid_t owner, bool with_course, const Progress& progress) {
  const auto start = Clock::now();
  auto platform = platform_of(name, guests, keeper, owner);
  if (!platform) return fail(platform.error());
  progress("making " + name);
  auto bench = (*platform)->arrange(host_setup(plan));
  if (!bench) return fail(bench.error());
  const std::int64_t setup_ns = ns_since(start);

  progress("measuring on " + name);
  Books books(*bench, counters, with_course);
  auto result = work_of(plan, *bench, books.hooks());
  if (!result) return fail(result.error());
  (*result)["modules"] = json::array();
  const auto ledger = books.ledger(*result);
  json meter = books.describe();
  const Timeline course = books.course(ledger);

  leave_to_sandbox(std::move(*platform));
  return json{{"result", *result},         {"ledger", to_json(ledger)},
              {"meter", std::move(meter)}, {"timeline", course.empty() ? "" : timeline_text(course)},
              {"setup_ns", setup_ns},      {"ended_ns", Clock::now().time_since_epoch().count()}};
}

Result<std::vector<LedgerEntry>> ledger_from(const json& rows) {
  std::vector<LedgerEntry> ledger;
  for (const json& row : rows) {
    const auto layer = layer_named(row.value("layer", ""));
    const auto part = part_named(row.value("part", ""));
    if (!layer || !part)
      return fail(Error{"read the trial's ledger", "a row of it is damaged", "", ExitCode::trial_failed});
    ledger.push_back({row.value("cpu", 0), row.value("domain", ""), *layer, *part, row.value("kind", ""),
                      row.value("value", std::uint64_t{0})});
  }
  return ledger;
}

}  // namespace

Result<> run_host_trial(Trial& trial, const std::map<std::string, GuestParts>& guests,
                        const Progress& progress, bool with_course) {
  const auto started = Clock::now();
  const std::string platform = trial.factors["platform"];
  const auto wanted = trial.factors.find("hardware_counters");
  const bool counters = wanted != trial.factors.end() && wanted->second == "on";
  const auto plan = host_plan(trial);
  if (!plan) return fail(plan.error());
  auto keeper = keeper_for(platform, guests);
  if (!keeper) return fail(keeper.error());
  const pid_t owner = getpid();
  const auto answer = run_in_sandbox(
      [&](const Progress& tell) {
        return measure(platform, *plan, counters, guests, *keeper, owner, with_course, tell);
      },
      progress, trial_limit);
  const Result<> taken_down = *keeper ? (*keeper)->finish() : Result<>();
  const auto over = Clock::now();
  if (!answer) return fail(answer.error());
  if (!taken_down) return fail(taken_down.error());
  auto result = lab::read_guest_result((*answer)["result"].dump());
  if (!result) return fail(result.error());
  auto ledger = ledger_from((*answer)["ledger"]);
  if (!ledger) return fail(ledger.error());
  trial.work = result->work;
  trial.devices = std::move(result->devices);
  trial.guests = std::move(result->guests);
  trial.window_virtual_ns = result->window_virtual_ns;
  trial.ledger = std::move(*ledger);
  if (auto timeline = read_timeline(answer->value("timeline", ""))) trial.timeline = std::move(*timeline);
  json provenance = {
      {"machine", "host"},
      {"meter", (*answer)["meter"]},
      {"setup_ns", (*answer)["setup_ns"]},
      {"teardown_ns", std::max<std::int64_t>(
                          0, over.time_since_epoch().count() - answer->value("ended_ns", std::int64_t{0}))}};
  if (const auto parts = guests.find(platform); parts != guests.end())
    provenance.update(parts->second.provenance);
  trial.provenance = provenance.dump(-1, ' ', false, json::error_handler_t::replace);
  trial.digest = sha256_hex(text_bytes((*answer)["ledger"].dump()));
  trial.elapsed_host_ns = static_cast<std::uint64_t>(ns_since(started));
  return {};
}

Result<SetupTimes> make_and_take_down(const std::string& platform,
                                      const std::map<std::string, GuestParts>& guests) {
  const auto started = Clock::now();
  auto keeper = keeper_for(platform, guests);
  if (!keeper) return fail(keeper.error());
  const pid_t owner = getpid();
  const auto done = run_in_sandbox(
      [&](const Progress&) -> Result<json> {
        auto made = platform_of(platform, guests, *keeper, owner);
        if (!made) return fail(made.error());
        const auto bench = (*made)->arrange(host_setup({}));
        leave_to_sandbox(std::move(*made));
        if (!bench) return fail(bench.error());
        return json::object();
      },
      [](const std::string&) {}, trial_limit);
  const Result<> taken_down = *keeper ? (*keeper)->finish() : Result<>();
  if (!done) return fail(done.error());
  if (!taken_down) return fail(taken_down.error());
  return SetupTimes{std::chrono::nanoseconds(ns_since(started))};
}

}  // namespace vtax::host
