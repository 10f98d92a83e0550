// What the books of a computer (/proc, KVM's guest time, Xen's counters) say of a window, beside the exact
// ledger of the same window: the error of measuring CPU time from within.
//
//   books_error [check] [PLATFORM...]
//
// Platforms: native, container, kvm, kvm-qemu, xen-pv, xen-pvh, dom0-xen-pv, dom0-xen-pvh; without: all but
// the pvh ones. dom0-killed measures nothing: it looks at the course of a window, and kills trials, on a
// Domain-0. `check` is the test's way: one trial of each, nothing fetched (exit code 77 where something is
// missing), and exit code 1 if a book that ought to be right is off by more than a few per cent.
//
// In the lab, everything on one CPU, where virtual time and instructions are the same thing: 2 ns each. On
// several, the lab's CPUs take turns, and a book would be charged with its neighbour's turn.
//   native, container, kvm: the host's own trial (vtax run --machine host), run by this program within it
//   xen: the lab's trial, with Domain-0's /proc, Xen's counters, and the guest's /proc
//   dom0-xen: again the host's own trial, run by this program in a Domain-0 without guests; and that such a
//   trial leaves nothing when it is killed

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "agent/entry.h"
#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/toolstack.h"
#include "core/files.h"
#include "core/sha256.h"
#include "machine/host/guest_parts.h"
#include "machine/host/host_readiness.h"
#include "machine/host/host_trial.h"
#include "machine/host/xen_keeper.h"
#include "machine/lab/cpio.h"
#include "machine/lab/lab_machine.h"
#include "machine/lab/lab_parts.h"
#include "platform/kernel_file.h"
#include "platform/placement.h"
#include "platform/xenstore.h"
#include "record/timeline_text.h"
#include "record/trial_check.h"

namespace vtax {
namespace {

using namespace lab;
namespace fs = std::filesystem;
using nlohmann::json;
using Factors = std::map<std::string, std::string>;

constexpr const char *in_lab_word = "in-lab", *kill_in_lab_word = "kill-in-lab",
                     *every_kill_word = "every_kill";
constexpr std::string_view dom0_prefix = "dom0-", killed_platform = "dom0-killed";
constexpr const char* more_modules = "/lab/more-modules";
constexpr double ms_per_instruction = 2e-6;  // the lab's icount shift=1
constexpr double ms_per_ns = 1e-6;

constexpr int skipped = 77;

// For machines and changed images; it goes with the program, exit() included.
struct OwnFolder {
  fs::path path;
  OwnFolder() {
    std::string pattern = (fs::temp_directory_path() / "vtax-books-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  ~OwnFolder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
};

const OwnFolder& own_folder() {
  static const OwnFolder folder;
  return folder;
}

[[noreturn]] void quit(const std::string& why) {
  fmt::print(stderr, "books_error: {}\n", why);
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) quit(result.error().text());
  return std::move(*result);
}

// ---- inside the machine

void go_on_one_cpu() {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  if (sched_setaffinity(0, sizeof first, &first) != 0) quit("cannot go to CPU 0");
  for (const int cpu : {1, 2})
    if (auto off = write_kernel_file(fmt::format("/sys/devices/system/cpu/cpu{}/online", cpu), "0"); !off)
      quit(off.error().text());
}

// The lab's image for KVM has what a host's cache would have.
host::GuestParts guest_of_the_image() {
  host::GuestParts parts;
  parts.image = {agent::lab::guest_kernel, agent::lab::guest_initrd};
  parts.emulator = {
      "/usr/bin/qemu-system-x86_64", {"-L", "/usr/share/vmm"}, {"PATH=/usr/bin:/bin", "HOME=/"}};
  return parts;
}

// A Domain-0 as a distribution has it: Xen's daemons run, and xl is in PATH. The guest's files are what
// prepare_guest() has made.
host::GuestParts parts_on_xen() {
  if (auto started = agent::start_toolstack(); !started) quit(started.error().text());
  std::error_code error;
  for (const char* folder : {"/usr/sbin", "/usr/bin"}) fs::create_directories(folder, error);
  for (const auto& entry : fs::directory_iterator("/usr/lib", error))
    if (entry.path().filename().string().starts_with("xen-"))
      fs::create_symlink(entry.path() / "bin/xl", "/usr/sbin/xl", error);
  fs::create_symlink("/init", "/usr/bin/true", error);
  host::GuestParts parts;
  parts.image = {agent::lab::guest_kernel, agent::lab::guest_initrd};
  parts.toolstack = must(host::find_xen_toolstack());
  return parts;
}

// What a domain leaves where it could: in Xen, in xenstore, in the kernel, among the processes, on disk.
class Leftovers {
 public:
  explicit Leftovers(host::XenToolstack toolstack) : toolstack_(std::move(toolstack)) { before_ = look(); }

  // What there is now that was not there before.
  [[nodiscard]] std::vector<std::string> find() const {
    std::vector<std::string> left;
    const std::set<std::string> now = look();
    std::set_difference(now.begin(), now.end(), before_.begin(), before_.end(), std::back_inserter(left));
    return left;
  }

 private:
  [[nodiscard]] std::set<std::string> look() const {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {  // as a distribution's init does
    }
    std::set<std::string> found;
    const std::string domains = must(host::run_xl(toolstack_, {"list"}, std::chrono::seconds(20)));
    std::istringstream lines(domains);
    for (std::string line; std::getline(lines, line);)
      found.insert("xl list: " + line.substr(0, line.find(' ')));
    auto store = must(Xenstore::open());
    for (const char* path :
         {"/local/domain", "/local/domain/0/backend/vif", "/local/domain/0/backend", "/libxl", "/vm"})
      if (const auto names = store.list(path))
        for (const std::string& name : *names) found.insert(fmt::format("xenstore: {}/{}", path, name));
    for (const char* folder : {"/var/lib/xen", "/var/log/xen", "/run/xen", "/tmp", "/dev/shm",
                               "/sys/class/net", "/sys/bus/xen-backend/devices"}) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().filename() != "domid-history")  // libxl's, of all domains that ever were
          found.insert(entry.path().string());
    }
    for (const pid_t process : processes_named("")) {
      const std::string folder = fmt::format("/proc/{}/", process);
      std::error_code error;
      if (process != getpid() && !fs::read_symlink(folder + "exe", error).empty())  // no thread of the kernel
        found.insert(fmt::format("process: {} {}", process, read_kernel_file(folder + "comm").value_or("")));
    }
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) found.insert("mount: " + line);
    return found;
  }

  host::XenToolstack toolstack_;
  std::set<std::string> before_;
};

using Clock = std::chrono::steady_clock;

// When a trial is killed, and whether who takes its domains down is killed with it.
struct Kill {
  int after_ms;
  bool keeper_too;
  bool always;  // in the test too
};
constexpr Kill all_kills[] = {{20, false, false},    {300, false, true},   {800, false, false},
                              {1500, false, false},  {4000, false, false}, {8000, false, false},
                              {10500, false, false}, {11500, false, true}, {13000, false, false},
                              {600, true, false},    {5000, true, false},  {11500, true, true}};

// How long something was left of trials that were killed, and what `most` later.
json kill_trials(const Trial& trial, const std::map<std::string, host::GuestParts>& guests, bool every) {
  constexpr std::chrono::seconds most{20}, most_without_keeper{300};
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Leftovers leftovers(guests.begin()->second.toolstack);
  json kills = json::array();
  for (const auto& [after_ms, keeper_too, always] : all_kills) {
    if (!always && !every) continue;
    std::string step;
    int steps[2];
    if (pipe2(steps, O_CLOEXEC | O_NONBLOCK) != 0) quit("cannot make a pipe");
    const pid_t child = fork();
    if (child == 0) {
      Trial own = trial;
      const auto done = host::run_host_trial(own, guests, [&](const std::string& now) {
        static_cast<void>(!write(steps[1], (now + "\n").data(), now.size() + 1));
      });
      if (!done) fmt::print(stderr, "{}\n", done.error().text());
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    if (keeper_too)
      for (const pid_t keeper : processes_named(host::xen_keeper_name)) kill(keeper, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    char text[4096];
    const ssize_t got = read(steps[0], text, sizeof text);
    step.assign(text, static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    close(steps[0]);
    close(steps[1]);
    const std::vector<std::string> at_once = leftovers.find();
    std::vector<std::string> left = at_once;
    const auto killed = Clock::now();
    while (!left.empty() && Clock::now() - killed < (keeper_too ? most_without_keeper : most)) {
      // Looking costs an emulated CPU much.
      std::this_thread::sleep_for(std::chrono::milliseconds(keeper_too ? 5000 : 300));
      left = leftovers.find();
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - killed);
    kills.push_back({{"after_ms", after_ms},
                     {"keeper_too", keeper_too},
                     {"steps", step},
                     {"at_once", at_once},
                     {"clean_after_ms", took.count()},
                     {"left", left}});
  }
  return kills;
}

// A trial with readings within its window: whether its slices add up to its ledger, which is a run file's
// test.
json trial_with_course(Trial trial, const std::map<std::string, host::GuestParts>& guests) {
  if (auto done = host::run_host_trial(trial, guests, [](const std::string&) {}); !done)
    quit(done.error().text());
  const auto checked = check(trial);
  return {{"slices", trial.timeline.end_ns.size()},
          {"wrong", checked ? "" : checked.error().why},
          {"timeline", timeline_text(trial.timeline)},
          {"meter", json::parse(trial.provenance, nullptr, false)["meter"]}};
}

int run_in_lab(const char* factors, bool kills) {
  go_on_one_cpu();
  mkdir("/dev/shm", 0755);
  if (fs::exists(more_modules))
    if (auto loaded = agent::load_modules(more_modules); !loaded) quit(loaded.error().text());
  Trial trial;
  trial.factors = json::parse(factors).get<Factors>();
  const bool every_kill = !trial.factors.extract(every_kill_word).empty();
  const std::string platform = trial.factors.at("platform");
  std::map<std::string, host::GuestParts> guests;
  if (platform.starts_with("kvm")) guests[platform] = guest_of_the_image();
  if (platform.starts_with("xen")) guests[platform] = parts_on_xen();
  if (kills) {
    const json course = trial_with_course(trial, guests);
    fmt::print("{}\n", json{{"course", course}, {"kills", kill_trials(trial, guests, every_kill)}}.dump());
    return 0;
  }
  // What the doctor would say.
  if (platform.starts_with("xen"))
    if (const auto check = host::examine_platform(platform); check.state == State::missing)
      quit(check.detail);
  // Readings within the window would be instructions of it here.
  if (auto done = host::run_host_trial(
          trial, guests, [](const std::string&) {}, false);
      !done)
    quit(done.error().text());
  json rows = json::array();
  for (const LedgerEntry& row : trial.ledger)
    rows.push_back({{"domain", row.domain}, {"layer", name(row.layer)}, {"ns", row.value}});
  fmt::print("{}\n", json{{"ledger", rows},
                          {"elapsed_ns", trial.elapsed_host_ns},
                          {"provenance", json::parse(trial.provenance, nullptr, false)}}
                         .dump());
  return 0;
}

// ---- outside

struct Machine {
  std::unique_ptr<LabMachine> lab;
  fs::path folder;
};

// KVM's image as a plain Linux that happens to have QEMU and KVM, or Xen's as a Domain-0: this program makes
// the guest itself. `guest`: of which files, if not of the image's.
LabImage as_plain_host(LabImage image, const fs::path& veth, const fs::path& folder,
                       const std::optional<GuestImage>& guest) {
  CpioArchive extra;
  const std::string role = "native\n", list = "/lab/modules.d/veth.ko\n";
  extra.file("lab/role", {role.begin(), role.end()});
  extra.file("lab/more-modules", {list.begin(), list.end()});
  extra.file("lab/modules.d/veth.ko", must(read_file(veth)));
  if (guest) {
    extra.file("lab/guest/kernel", must(read_file(guest->kernel)));
    extra.file("lab/guest/initrd", must(read_file(guest->initrd)));
  }
  auto initrd = must(read_file(image.initrd));
  initrd.resize((initrd.size() + 511) / 512 * 512);
  const auto more = extra.bytes();
  initrd.insert(initrd.end(), more.begin(), more.end());
  image.initrd = folder / (std::string(name_of(image.kind)) + ".cpio");
  if (auto written = write_file(image.initrd, initrd); !written) quit(written.error().text());
  image.hash = sha256_hex(ByteView(initrd));
  return image;
}

struct Lab {
  PackageCache cache;
  Qemu qemu;
  fs::path folder;

  [[nodiscard]] LabImage image(LabKind kind) {
    return must(build_lab_image(kind, {}, cache, Apt(), [](std::string_view) {}));
  }

  // `dom0`: the trial is not the lab's.
  [[nodiscard]] std::unique_ptr<LabMachine> boot(LabKind kind, bool dom0) {
    LabImage made = image(kind);
    if (has_kvm(kind) || dom0) {
      fs::path veth;
      for (const ModuleFile& module : image(LabKind::native).modules)
        if (module.name == "veth") veth = module.file;
      std::optional<GuestImage> guest;
      if (dom0) guest = must(host::prepare_image("xen-pv", cache, [](std::string_view) {})).image;
      made = as_plain_host(std::move(made), veth, folder, guest);
      // The native machine's agent wants three CPUs.
      constexpr std::string_view two = "dom0_max_vcpus=2";
      if (dom0)
        made.xen_command_line.replace(made.xen_command_line.find(two), two.size(), "dom0_max_vcpus=3");
    }
    auto machine = must(LabMachine::prepare(std::move(made), "/proc/self/exe", qemu, must(find_probe(qemu))));
    SnapshotStore store(folder);
    const auto booted =
        machine->boot(store, [](std::string_view step) { fmt::print(stderr, "books_error: {}\n", step); });
    if (!booted) quit(booted.error().text());
    return machine;
  }
};

struct Seen {
  std::vector<LedgerEntry> exact;
  json answer;
};

Seen observe(const LabMachine& machine, const json& plan, bool counted = true) {
  const auto seen = machine.observe(plan.dump(), [](std::string_view) {});
  if (!seen) quit(seen.error().text());
  return {counted ? must(machine.ledger_of(*seen, {})).entries : std::vector<LedgerEntry>(),
          json::parse(seen->answer, nullptr, false)};
}

double exact_ms(const Seen& seen, const std::string& domain, std::optional<Layer> layer = {}) {
  double sum = 0;
  for (const LedgerEntry& row : seen.exact)
    if (row.kind == "instructions" && row.layer != Layer::idle && (domain.empty() || row.domain == domain) &&
        (!layer || row.layer == *layer))
      sum += static_cast<double>(row.value) * ms_per_instruction;
  return sum;
}

double books_ms(const json& rows, const std::string& domain, std::string_view layer = "") {
  double sum = 0;
  for (const json& row : rows)
    if (row.value("domain", "") == domain && (layer.empty() || row.value("layer", "") == layer))
      sum += row.value("ns", 0.0) * ms_per_ns;
  return sum;
}

// Books that ought to be right, and by how much they may be off.
constexpr double any_error = 1e9, exact_book = 3, ticked_book = 25;
int wrong_books = 0;

void print_row(const std::string& trial, const std::string& who, double exact, const char* book, double says,
               double most_per_cent = any_error) {
  const double error = exact > 0 ? (says / exact - 1) * 100 : any_error;
  if (std::abs(error) > most_per_cent) ++wrong_books;
  fmt::print("| {} | {} | {:.1f} | {} | {:.1f} | {:+.1f} % |\n", trial, who, exact, book, says, error);
  std::fflush(stdout);
}

struct Work {
  std::string name;
  Factors factors;
};

std::vector<Work> works() {
  const Factors stream{{"workload", "tcp-stream"},  {"write_bytes", "65536"}, {"bytes", "100663296"},
                       {"warmup_bytes", "1048576"}, {"topology", "inside"},   {"offloads", "off"}};
  const Factors exchange{{"workload", "tcp-rr"},  {"transactions", "10000"},     {"request_bytes", "1"},
                         {"response_bytes", "1"}, {"warmup_transactions", "50"}, {"topology", "inside"},
                         {"offloads", "off"},     {"direction", "send"}};
  Factors receive = stream, send = stream;
  receive["direction"] = "receive";
  send["direction"] = "send";
  return {{"96 MiB received", receive}, {"96 MiB sent", send}, {"10,000 transactions", exchange}};
}

// Lets the machine run this program with one of the words above: what it says.
struct Said {
  Seen seen;
  json words;
};
Said run_within(const LabMachine& machine, const char* word, const std::string& platform, const Work& work) {
  Factors factors = work.factors;
  factors["platform"] = platform;
  const bool kills = word == std::string_view(kill_in_lab_word);
  json plan = {{"version", 1},           {"platform", "native"},
               {"workload", "programs"}, {"client", {"/init", word, json(factors).dump()}},
               {"marks", kills},         {"time_limit_ns", kills ? 900'000'000'000 : 300'000'000'000}};
  Seen seen = observe(machine, plan, !kills);
  const std::string output = seen.answer.value("output", "");
  // Xen's programs talk before it.
  json words = json::parse(output.substr(std::min(output.find('{'), output.size())), nullptr, false);
  if (!words.is_object()) quit("no JSON: " + output);
  return {std::move(seen), std::move(words)};
}

void on_linux(const LabMachine& machine, const std::string& platform, const Work& work) {
  const auto [seen, said] = run_within(machine, in_lab_word, platform, work);
  const json& rows = said["ledger"];
  const std::string trial = platform + ", " + work.name;
  const auto row = [&](const std::string& who, double exact, double says, double most = any_error) {
    print_row(trial, who, exact, "schedstat, ticks, BPF", says, most);
  };
  if (!platform.starts_with("kvm")) {
    row("kernel", exact_ms(seen, "host", Layer::kernel), books_ms(rows, "host", "kernel"));
    row("program", exact_ms(seen, "host", Layer::program), books_ms(rows, "host", "program"));
    row("all", exact_ms(seen, "host"), books_ms(rows, "host"), exact_book);
  } else {
    const double kernel = exact_ms(seen, "guest1", Layer::kernel),
                 program = exact_ms(seen, "guest1", Layer::program), all = exact_ms(seen, "");
    row("the guest's kernel", kernel, books_ms(rows, "guest1", "kernel"), ticked_book);
    row("the guest's program", program, books_ms(rows, "guest1", "program"));
    row("the host for it: KVM, QEMU, vhost, the partner", all - kernel - program, books_ms(rows, "host"),
        ticked_book);
    row("all", all, books_ms(rows, "guest1") + books_ms(rows, "host"), exact_book);
  }
  fmt::print(stderr, "{}: uncharged {:.2f} ms, elsewhere {:.1f} ms, meter {}\n", trial,
             books_ms(rows, "host", "uncharged"), books_ms(rows, "elsewhere"),
             said["provenance"].value("meter", json()).dump());
}

void on_dom0(const LabMachine& machine, const std::string& platform, const Work& work) {
  const auto [seen, said] = run_within(machine, in_lab_word, platform, work);
  const json& rows = said["ledger"];
  const std::string trial = "dom0-" + platform + ", " + work.name;
  const auto row = [&](const std::string& who, double exact, double says, double most = any_error) {
    print_row(trial, who, exact, "Xen's counters", says, most);
  };
  const double guest = exact_ms(seen, "guest1"), driver = exact_ms(seen, "Domain-0");
  row("the guest, with Xen's work for it", guest, books_ms(rows, "guest1"), exact_book);
  row("the guest's program", exact_ms(seen, "guest1", Layer::program), books_ms(rows, "guest1", "program"));
  row("Domain-0, with Xen's work for it", driver, books_ms(rows, "Domain-0"), exact_book);
  row("all", guest + driver, books_ms(rows, "guest1") + books_ms(rows, "Domain-0"), exact_book);
  fmt::print(stderr, "{}: {}\n", trial, said.dump());
}

// A trial that is killed leaves nothing.
void kill_on_dom0(const LabMachine& machine, const std::string& platform, Work work, bool every) {
  if (every) work.factors[every_kill_word] = "1";
  const json said = run_within(machine, kill_in_lab_word, platform, work).words;
  const json course = said.value("course", json::object());
  const std::size_t slices = course.value("slices", std::size_t{0});
  const std::string wrong = course.value("wrong", "there is none");
  if (slices < 2 || !wrong.empty()) ++wrong_books;
  fmt::print("\nA window of {} slices; {}\n", slices, wrong.empty() ? "they add up to its ledger" : wrong);
  fmt::print(stderr, "{}\n", course.dump());
  fmt::print("\n| killed after, s | who | left at once | nothing left after, s |\n|---|---|---|---|\n");
  for (const json& one : said["kills"]) {
    const bool clean = one["left"].empty();
    if (!clean) ++wrong_books;
    fmt::print("| {:.2f} | {} | {} | {} |\n", one.value("after_ms", 0) / 1e3,
               one.value("keeper_too", false) ? "vtax and its keeper" : "vtax", one["at_once"].size(),
               clean ? fmt::format("{:.1f}", one.value("clean_after_ms", 0) / 1e3) : one["left"].dump());
    fmt::print(stderr, "{}\n", one.dump());
  }
  std::fflush(stdout);
}

void on_xen(const LabMachine& machine, const std::string& platform, const Work& work) {
  Trial trial;
  trial.factors = work.factors;
  trial.factors["platform"] = platform;
  trial.factors["guest_cpu"] = "driver";
  json plan = json::parse(must(plan_of(trial)));
  plan["books"] = true;
  const Seen seen = observe(machine, plan);
  const json books = seen.answer.value("books", json::object());
  const json xen = books.value("xen", json::array()), proc = books.value("proc_stat_ns", json::object());
  const json cpu = seen.answer.value("system_cpu", json::object());
  const std::string name = platform + ", " + work.name;
  const auto row = [&](const std::string& who, double exact, const char* book, double says,
                       double most = any_error) { print_row(name, who, exact, book, says, most); };
  const double guest = exact_ms(seen, "guest1"), driver = exact_ms(seen, "Domain-0");
  const double guest_linux =
      exact_ms(seen, "guest1", Layer::kernel) + exact_ms(seen, "guest1", Layer::program);
  const double driver_linux = exact_ms(seen, "Domain-0", Layer::driver);
  double driver_busy = 0;
  for (const char* field : {"user", "nice", "system", "irq", "softirq"})
    driver_busy += proc.value(field, 0.0) * ms_per_ns;
  const double guest_busy = cpu.value("machine_busy_ns", 0.0) * ms_per_ns;
  const std::string guest_and_xen = "the guest, with Xen's work for it",
                    driver_and_xen = "Domain-0, with Xen's work for it";
  row(guest_and_xen, guest, "Xen's counter", books_ms(xen, "guest1"), exact_book);
  row(driver_and_xen, driver, "Xen's counter", books_ms(xen, "Domain-0"), exact_book);
  row(driver_and_xen, driver, "Domain-0's /proc/stat", driver_busy);
  row("Domain-0 alone", driver_linux, "Domain-0's /proc/stat", driver_busy);
  row(driver_and_xen, driver, "Domain-0's schedstat", books.value("threads_ns", 0.0) * ms_per_ns);
  row(guest_and_xen, guest, "the guest's /proc/stat", guest_busy);
  row("the guest alone", guest_linux, "the guest's /proc/stat", guest_busy);
  row("all that the traffic costs", guest + driver, "the guest's /proc/stat", guest_busy);
  fmt::print(stderr, "{}: {} {}\n", name, books.dump(), cpu.dump());
}

bool all_is_here(const PackageCache& cache) {
  return cache.find(PackageSet::kernel) && cache.find(PackageSet::xen) && cache.find(PackageSet::vmm) &&
         find_qemu(cache);
}

int measure(const std::vector<std::string>& platforms, bool check) {
  auto cache = must(PackageCache::open());
  if (check && !all_is_here(cache)) {
    fmt::print("the packages are not in the cache: `vtax lab fetch` puts them there\n");
    return skipped;
  }
  const Qemu qemu = must(fetch_qemu(cache, [](std::string_view) {}));
  Lab lab{std::move(cache), qemu, own_folder().path};
  fmt::print("| trial | whose CPU time | exact, ms | book | says, ms | error |\n|---|---|---|---|---|---|\n");
  std::map<std::pair<LabKind, bool>, std::unique_ptr<LabMachine>> machines;
  std::vector<Work> todo = works();
  if (check) todo.resize(1);
  for (const std::string& wanted : platforms) {
    const bool dom0 = wanted.starts_with(dom0_prefix), kills = wanted == killed_platform;
    const std::string platform = kills ? "xen-pv" : dom0 ? wanted.substr(dom0_prefix.size()) : wanted;
    const LabKind kind = machine_of(platform);
    auto& machine = machines[{kind, dom0}];
    if (!machine) machine = lab.boot(kind, dom0);
    if (kills) {
      kill_on_dom0(*machine, platform, todo.front(), !check);
      continue;
    }
    for (const Work& work : todo)
      dom0                          ? on_dom0(*machine, platform, work)
      : platform.starts_with("xen") ? on_xen(*machine, platform, work)
                                    : on_linux(*machine, platform, work);
  }
  if (check && wrong_books > 0) fmt::print("{} books are wrong that ought to be right\n", wrong_books);
  return check && wrong_books > 0 ? 1 : 0;
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  // This program is also PID 1 of the machines, and Xen's hotplug program.
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  if (argc > 0 && std::string_view(argv[0]).ends_with("/true")) return 0;  // Domain-0's
  for (const char* word : {vtax::in_lab_word, vtax::kill_in_lab_word})
    if (argc == 3 && argv[1] == std::string_view(word))
      return vtax::run_in_lab(argv[2], word == vtax::kill_in_lab_word);
  std::vector<std::string> platforms(argv + 1, argv + argc);
  const bool check = !platforms.empty() && platforms.front() == "check";
  if (check) platforms.erase(platforms.begin());
  if (platforms.empty()) platforms = {"native", "container", "kvm", "kvm-qemu", "xen-pv", "dom0-xen-pv"};
  return vtax::measure(platforms, check);
}
