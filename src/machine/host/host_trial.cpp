#include "machine/host/host_trial.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "controller/http_trial.h"
#include "controller/local_trial.h"
#include "controller/program_trial.h"
#include "controller/trial.h"
#include "controller/trial_plan.h"
#include "core/files.h"
#include "core/sha256.h"
#include "machine/guest_result.h"
#include "machine/host/disk_folder.h"
#include "machine/host/program_guest.h"
#include "machine/host/program_root.h"
#include "machine/host/window_books.h"
#include "machine/host/window_growth.h"
#include "machine/host/xen_keeper.h"
#include "machine/lab/lab_machine.h"
#include "platform/tap_guest.h"
#include "platform/xen_guest.h"
#include "record/ledger_text.h"
#include "record/timeline_text.h"

namespace vtax::host {
namespace {

using nlohmann::json;
using PartsByPlatform = std::map<PlatformId, GuestParts>;
using Clock = std::chrono::steady_clock;

// Quiet times around the work; longer than Linux's longest delayed acknowledgement (200 ms).
constexpr std::chrono::milliseconds kHostSettle{250};
constexpr std::chrono::milliseconds kTrySettle{50};
constexpr std::chrono::minutes kWorkLimit{10};
constexpr std::chrono::minutes kTrialLimit{15};

std::int64_t ns_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

// The first two CPUs of this process; one twice where there is no other.
Setup host_setup(const TrialSpec& trial) {
  Setup setup = Setup::of(trial);
  setup.topology = Topology::inside;
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

// Of a trial on Xen, what is outside of the sandbox: who makes its domains, and what those boot.
struct XenSide {
  XenKeeper keeper;
  XenGuest guest;    // but for its first_network, which is named from within
  Descriptor image;  // of a guest that holds a program; else invalid
};

// Started outside of the sandbox. `limit`: of the trial. `program`: of the user's, or null. Nothing: the
// platform has no such side.
Result<std::optional<XenSide>> xen_side_of(PlatformId platform, const PartsByPlatform& guests,
                                           std::chrono::seconds limit, const HostProgram* program) {
  const auto parts = guests.find(platform);
  if (!has_xen(platform) || parts == guests.end()) return std::optional<XenSide>();
  HeldImage held{parts->second.image, {}};
  if (program != nullptr) {
    auto with = held_image_with_program(held.image, program->files, has_device_model(platform));
    if (!with) return fail(with.error());
    held = std::move(*with);
  }
  const std::string name(name_of(platform));
  XenGuest guest{name.substr(name.find('-') + 1),
                 held.image,
                 fmt::format("vtax-{}-", getpid()),
                 {},
                 parts->second.toolstack.nothing};
  guest.lifetime = std::max(kXenGuestLifetime, limit + kXenGuestAlone);
  auto keeper = XenKeeper::start(parts->second.toolstack);
  if (!keeper) return fail(keeper.error());
  return std::optional(XenSide{std::move(*keeper), std::move(guest), std::move(held.file)});
}

// User Mode Linux of a guest that holds the user's program is walled in.
Result<std::unique_ptr<Platform>> uml_of(const GuestImage& image, int guests, bool holds_program) {
  if (!holds_program) return make_uml(image, kScratchDirectory);
  const auto walled = wall_uml_in(image, guests);
  if (!walled) return fail(walled.error());
  return make_uml(walled->image, walled->scratch, walled->walls);
}

// `program`: of the user's, or null.
Result<std::unique_ptr<Platform>> platform_of(PlatformId id, int count, const PartsByPlatform& guests,
                                              std::optional<XenSide>& xen, const HostProgram* program) {
  if (id == PlatformId::native) return make_native();
  if (id == PlatformId::container) return make_container();
  if (xen) {
    XenGuest guest = xen->guest;
    guest.first_network = outer_proc() / "1/ns/net";
    return make_xen_guests(guest, xen->keeper.hands());
  }
  const auto parts = guests.find(id);
  if (parts == guests.end())
    return fail(Error{fmt::format("make the platform {}", name_of(id)), "it does not run on this computer",
                      "vtax doctor says why", ExitCode::unavailable});
  GuestImage image = parts->second.image;
  if (program != nullptr) {
    auto with = image_with_program(image, program->files);
    if (!with) return fail(with.error());
    image = std::move(*with);
  }
  if (id == PlatformId::uml) return uml_of(image, count, program != nullptr);
  const auto way = id == PlatformId::kvm        ? Acceleration::kvm_with_vhost
                   : id == PlatformId::kvm_qemu ? Acceleration::kvm
                                                : Acceleration::tcg;
  return make_qemu(image, parts->second.emulator, way);
}

// With a program's own limit for each of its runs.
std::chrono::seconds limit_of(const controller::TrialPlan& plan) {
  constexpr int kMostRuns = 6;
  if (!plan.program) return kTrialLimit;
  return kTrialLimit + kMostRuns * plan.guests * std::chrono::seconds(plan.limit_seconds);
}

Result<controller::TrialPlan> host_plan(const TrialSpec& trial) {
  auto plan = controller::plan_for(trial);
  if (plan) plan->time_limit = kWorkLimit;
  return plan;
}

// Taking a platform down link by link would wait for the kernel at each of them, some 25 ms; all of it ends
// with the sandbox anyhow, guests too, which are processes of its namespace.
void leave_to_sandbox(std::unique_ptr<Platform> platform) {
  static_cast<void>(platform.release());
}

std::filesystem::path folder_of_disk(const controller::TrialPlan& plan) {
  return plan.local->in_tmpdir ? disk_folder() : std::filesystem::path(kScratchDirectory);
}

// Each system's disk is a file that is unlinked as soon as it is open.
std::vector<std::string> host_disks(const controller::TrialPlan& plan) {
  if (!controller::has_disk(plan)) return {};
  const std::string name = fmt::format("vtax-disk-{:x}", Clock::now().time_since_epoch().count());
  const std::filesystem::path folder = folder_of_disk(plan);
  std::vector<std::string> disks;
  for (int guest = 1; guest <= plan.guests; ++guest)
    disks.push_back((folder / fmt::format("{}-{}", name, guest)).string());
  return disks;
}

// `number`: how many of the bench's trials this is, from 1 on.
Result<json> work_of(const controller::TrialPlan& plan, Bench& bench, std::chrono::milliseconds settle,
                     const controller::WindowHooks& hooks, int number) {
  if (plan.http) return controller::run_http_trial(plan, bench, settle, hooks);
  if (plan.program)
    return controller::run_program_trial(plan, bench, host_setup(plan), controller::ProgramLook::none, settle,
                                         hooks);
  if (plan.local) return controller::run_local_trial(plan, bench, host_disks(plan), settle, hooks);
  return controller::run_trial(plan, bench, settle, hooks, number);
}

// Tries the work, with little quiet around it, until there is enough of it.
Result<Growth> grow_on(Bench& bench, controller::TrialPlan& plan) {
  return grow_window(plan,
                     [&](const controller::TrialPlan& tried, int number) -> Result<std::chrono::nanoseconds> {
                       controller::TrialPlan without_warmup = tried;
                       without_warmup.warmup.bytes = Bytes(0);
                       without_warmup.warmup.transactions = Transactions(0);
                       without_warmup.warmup_requests = 0;
                       const auto done = work_of(without_warmup, bench, kTrySettle, {}, number);
                       if (!done) return fail(done.error());
                       return std::chrono::nanoseconds(done->value("window_virtual_ns", std::int64_t{0}));
                     });
}

// Inside the sandbox.
Result<json> measure(controller::TrialPlan plan, const PartsByPlatform& guests, std::optional<XenSide>& xen,
                     bool with_course, const HostProgram* program, const TellStep& progress) {
  const auto start = Clock::now();
  if (program != nullptr)
    if (Result<> made = make_program_root(program->files); !made) return fail(made.error());
  const std::string name(name_of(plan.platform));
  auto platform = platform_of(plan.platform, plan.guests, guests, xen, program);
  if (!platform) return fail(platform.error());
  progress("making " + name);
  auto bench = (*platform)->arrange(host_setup(plan));
  if (!bench) return fail(bench.error());
  const std::int64_t setup_ns = ns_since(start);

  progress(kMeasuringStep + name);
  const auto growth = grow_on(*bench, plan);
  if (!growth) return fail(growth.error());
  WindowBooks books(*bench, plan.hardware_counters, with_course);
  auto result = work_of(plan, *bench, kHostSettle, books.hooks(), growth->tries + 1);
  if (!result) return fail(result.error());
  (*result)["modules"] = json::array();
  const auto ledger = books.ledger(*result);
  json meter = books.describe();
  const Timeline course = books.course(ledger);

  leave_to_sandbox(std::move(*platform));
  return json{{"result", *result},
              {"ledger", ledger_text(ledger)},
              {"meter", std::move(meter)},
              {"timeline", course.empty() ? "" : timeline_text(course)},
              {"growth", growth->tries == 0 ? json() : to_json(*growth, plan.workload)},
              {"setup_ns", setup_ns},
              {"ended_ns", Clock::now().time_since_epoch().count()}};
}

}  // namespace

Result<> run_host_trial(Trial& trial, const PartsByPlatform& guests, const TellStep& progress,
                        bool with_course, const HostProgram* program) {
  const auto started = Clock::now();
  const auto spec = trial_spec_of(trial.factors);
  if (!spec) return fail(spec.error());
  const auto plan = host_plan(*spec);
  if (!plan) return fail(plan.error());
  auto xen = xen_side_of(spec->platform, guests, limit_of(*plan), program);
  if (!xen) return fail(xen.error());
  const auto answer = run_in_sandbox(
      [&](const TellStep& tell) { return measure(*plan, guests, *xen, with_course, program, tell); },
      progress, limit_of(*plan));
  const Result<> taken_down = *xen ? (*xen)->keeper.finish() : Result<>();
  const auto over = Clock::now();
  if (!answer) return fail(answer.error());
  if (!taken_down) return fail(taken_down.error());
  auto result = lab::guest_result_from(answer->value("result", json()));
  if (!result) return fail(result.error());
  const std::string rows = answer->value("ledger", "");
  auto ledger = read_ledger(rows);
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
  if (const json& growth = (*answer)["growth"]; !growth.is_null()) provenance["window_growth"] = growth;
  if (controller::has_disk(*plan)) {
    const std::filesystem::path folder = folder_of_disk(*plan);
    provenance["disk"] = {{"folder", plan->local->in_tmpdir ? folder.string() : "memory"},
                          {"file_system", plan->local->in_tmpdir ? file_system_of(folder) : "tmpfs"}};
  }
  if (const auto parts = guests.find(spec->platform); parts != guests.end())
    provenance.update(parts->second.provenance);
  if (program != nullptr) provenance["program"] = program->provenance;
  if (!result->output.empty()) provenance["client_output"] = result->output;
  trial.provenance = provenance.dump(-1, ' ', false, json::error_handler_t::replace);
  trial.digest = sha256_hex(text_bytes(rows));
  trial.elapsed_host_ns = static_cast<std::uint64_t>(ns_since(started));
  return {};
}

Result<SetupTimes> make_and_take_down(PlatformId platform, const PartsByPlatform& guests) {
  const auto started = Clock::now();
  auto xen = xen_side_of(platform, guests, kTrialLimit, nullptr);
  if (!xen) return fail(xen.error());
  const auto done = run_in_sandbox(
      [&](const TellStep&) -> Result<json> {
        auto made = platform_of(platform, 1, guests, *xen, nullptr);
        if (!made) return fail(made.error());
        const auto bench = (*made)->arrange(host_setup({}));
        leave_to_sandbox(std::move(*made));
        if (!bench) return fail(bench.error());
        return json::object();
      },
      [](const std::string&) {}, kTrialLimit);
  const Result<> taken_down = *xen ? (*xen)->keeper.finish() : Result<>();
  if (!done) return fail(done.error());
  if (!taken_down) return fail(taken_down.error());
  return SetupTimes{std::chrono::nanoseconds(ns_since(started))};
}

}  // namespace vtax::host
