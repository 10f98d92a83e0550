#include "machine/lab/lab_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "account/kallsyms.h"
#include "account/mapped_symbols.h"
#include "account/module_symbols.h"
#include "account/program_symbols.h"
#include "account/system_map.h"
#include "account/xen_symbols.h"
#include "core/files.h"
#include "machine/lab/file_memory.h"
#include "machine/lab/plan_terms.h"
#include "machine/lab/snapshot_key.h"
#include "machine/lab/trial_time.h"
#include "machine/parts/program_tree.h"
#include "subject/boot_words.h"
#include "subject/stack.h"

namespace vtax::lab {
namespace {

// What an emulator may take for a boot before the machine is taken for hung (Xen with its guest needs half a
// minute of it).
constexpr std::chrono::minutes kBootLimit(10);

// For the kernel's first process, to whom a word without a dot is a variable that nobody reads.
constexpr char kSecondBoot[] = " VTAX_BOOT=2";

// How ledgers name who runs the guests; natively the system is "host", too.
constexpr const char *kDomain0 = "Domain-0", *kHost = "host";

// Fully virtualised guests, whose firmware reads the kernel byte by byte from a program of Domain-0, take
// much of it each.
std::chrono::minutes boot_limit(PlatformId kind, const MachineShape& shape) {
  return kBootLimit * (has_device_model(kind) ? shape.guests : 1);
}

// What a guest takes with Xen's tables or QEMU for it; the first one's is in MachineSpec::memory_mib.
constexpr int kMemoryPerGuestMib = 224;

// Of a guest with a compiler: its files, twice while the kernel unpacks them, and five compilers at once.
constexpr int kCompilerGuestMib = 256;

// What each guest has: what is asked for, or what its workload's files need.
int guest_memory_mib(const LabImage& image, const MachineShape& shape) {
  int needed = shape.compiler ? kCompilerGuestMib : 0;
  if (WorkloadFiles::of(shape).has_program()) needed = FileMemory::of(image).guest;
  return std::max(shape.guest_memory_mib, needed);
}

// What the machine has for its program's files besides its usual memory, in which the first guest's is.
int more_for_files_mib(const LabImage& image, const MachineShape& shape) {
  if (!WorkloadFiles::of(shape).has_program()) return 0;
  const int usual = has_xen(image.kind) ? kDom0Mib
                                        : MachineSpec().memory_mib -
                                              (has_guests(image.kind) ? MachineShape().guest_memory_mib : 0);
  return std::max(0, FileMemory::of(image).first - usual);
}

Result<AddressMap::Table> shared(Result<SymbolTable> table) {
  if (!table) return fail(table.error());
  return std::make_shared<const SymbolTable>(std::move(*table));
}

// As the probe reads it (probe/settings.h).
std::string setting_of(const CacheShapes& caches) {
  return fmt::format("caches {} {} {} {} {} {} {} {} {}\n", caches.line_bytes, caches.l1i.bytes,
                     caches.l1i.ways, caches.l1d.bytes, caches.l1d.ways, caches.l2.bytes, caches.l2.ways,
                     caches.l3.bytes, caches.l3.ways);
}

Result<SymbolTable> kernel_symbols_of(const std::filesystem::path& file) {
  const auto content = read_file(file);
  if (!content) return fail(content.error());
  if (file.filename() != kSystemMap) return read_kallsyms(*content, file.string());
  return read_system_map({reinterpret_cast<const char*>(content->data()), content->size()}, file.string());
}

Result<> read_modules(const std::vector<ModuleFile>& modules,
                      std::map<std::string, std::vector<std::uint8_t>>& into) {
  for (const ModuleFile& module : modules) {
    auto file = read_file(module.file);
    if (!file) return fail(file.error());
    into.emplace(module.name, std::move(*file));
  }
  return {};
}

// The agent's functions, as far as its file has its symbol table.
AddressMap::Table agent_symbols(const std::filesystem::path& agent) {
  const auto file = read_file(agent);
  if (!file) return nullptr;
  auto table = read_program_symbols(*file, "vtax");
  return table ? std::make_shared<const SymbolTable>(std::move(*table)) : nullptr;
}

}  // namespace

namespace {

void replace(std::string& text, std::string_view part, std::string_view by) {
  if (const auto place = text.find(part); place != std::string::npos) text.replace(place, part.size(), by);
}

// Xen takes its default where it does not have the scheduler that it is told.
Result<> expect_scheduler(const std::vector<std::uint8_t>& xen, Scheduler scheduler) {
  static const std::map<Scheduler, std::string_view> names = {
      {Scheduler::credit, "SMP Credit Scheduler"},
      {Scheduler::credit2, "SMP Credit Scheduler rev2"},
      {Scheduler::rtds, "SMP RTDS Scheduler"},
      {Scheduler::null, "null Scheduler"}};
  const auto name = names.find(scheduler);
  const std::string_view text(reinterpret_cast<const char*>(xen.data()), xen.size());
  if (name != names.end() && text.find(name->second) != std::string_view::npos) return {};
  return fail({fmt::format("cannot boot Xen with the scheduler '{}'", name_of(scheduler)),
               "this Xen was built without it",
               "give a Xen that has it by --xen, or choose credit2 or credit", ExitCode::trial_failed});
}

}  // namespace

MachineSpec spec_of(const LabImage& image, Qemu qemu, const MachineShape& shape) {
  MachineSpec spec;
  spec.qemu = std::move(qemu);
  spec.kernel = image.kernel;
  spec.initrd = image.initrd;
  if (image.xen) spec.xen = *image.xen;
  spec.kernel_arguments = image.kernel_command_line;
  spec.xen_arguments = image.xen_command_line;
  spec.virtualises = virtualises(image.kind);
  spec.cards = shape.cards;
  spec.card = image.card;
  if (!shape.kernel_args.empty()) spec.kernel_arguments += " " + shape.kernel_args;
  const int for_files = more_for_files_mib(image, shape);
  spec.memory_mib += for_files;
  if (!has_guests(image.kind)) return spec;
  spec.cpus += shape.guests * shape.guest_cpus - 1;
  if (shape.guests > 1) {
    spec.memory_mib += (shape.guests - 1) * kMemoryPerGuestMib;
  }
  MachineShape told = shape;
  told.guest_memory_mib = guest_memory_mib(image, shape);
  spec.memory_mib += shape.guests * std::max(0, told.guest_memory_mib - MachineShape().guest_memory_mib);
  spec.kernel_arguments += boot_words(told);
  if (shape.driver_cpus > 1) {
    spec.cpus += shape.driver_cpus - 1;
    // With driver domains the second CPU is the first one's.
    if (shape.driver_domains == 0)
      replace(spec.xen_arguments, "dom0_max_vcpus=2",
              fmt::format("dom0_max_vcpus={}", 1 + shape.driver_cpus));
  }
  spec.virtual_functions = spec.iommu = shape.virtual_functions;
  // Of KVM's host only what guests are given is translated, as Xen does it.
  if (shape.virtual_functions && has_kvm(image.kind)) spec.kernel_arguments += " intel_iommu=on iommu=pt";
  if (!has_xen(image.kind)) return spec;
  if (shape.scheduler != MachineShape().scheduler)
    spec.xen_arguments += fmt::format(" sched={}", name_of(shape.scheduler));
  replace(spec.xen_arguments, fmt::format("dom0_mem={}M", kDom0Mib),
          fmt::format("dom0_mem={}M", kDom0Mib + for_files));
  spec.iommu = spec.virtual_functions || shape.iommu != MachineShape().iommu;
  if (shape.iommu == Iommu::strict) spec.xen_arguments += " dom0-iommu=strict";
  if (shape.driver_domains > 0) {
    spec.memory_mib += shape.driver_domains * kMemoryPerGuestMib;
  }
  if (!shape.xen_args.empty()) spec.xen_arguments += " " + shape.xen_args;
  return spec;
}

Result<std::unique_ptr<LabMachine>> LabMachine::prepare(LabImage image, const std::filesystem::path& agent,
                                                        Qemu qemu, std::filesystem::path probe,
                                                        const MachineShape& shape) {
  std::unique_ptr<LabMachine> self(new LabMachine);
  auto kernel = shared(kernel_symbols_of(image.kernel_symbols));
  if (!kernel) return fail(kernel.error());
  self->symbols_.kernel = *kernel;
  if (image.guest_kernel) {
    auto guests = shared(kernel_symbols_of(image.guest_kernel->symbols));
    if (!guests) return fail(guests.error());
    self->symbols_.guest_kernel = *guests;
    if (auto read = read_modules(image.guest_kernel->modules, self->guest_modules_); !read)
      return fail(read.error());
  }
  self->symbols_.first_domain = has_xen(image.kind) ? kDomain0 : kHost;
  self->symbols_.find_idle_text();
  // The compiler is linked at the same addresses as the agent: its functions would bear the agent's names.
  if (!shape.compiler) self->symbols_.program = agent_symbols(agent);
  if (image.xen) {
    const auto xen_file = read_file(*image.xen);
    if (!xen_file) return fail(xen_file.error());
    if (auto there = expect_scheduler(*xen_file, shape.scheduler); !there) return fail(there.error());
    auto xen = shared(read_xen_symbols(*xen_file, image.xen->string()));
    if (!xen) return fail(xen.error());
    self->symbols_.hypervisor = *xen;
    self->symbols_.has_hypervisor = true;
  }
  if (auto read = read_modules(image.modules, self->modules_); !read) return fail(read.error());
  self->symbols_.nested = has_kvm(image.kind);
  auto settings = probe_settings(self->symbols_, Instructions());
  if (!settings) return fail(settings.error());
  self->probe_settings_ = *settings;
  self->probe_ = std::move(probe);

  self->shape_ = shape;
  self->spec_ = spec_of(image, std::move(qemu), shape);
  self->image_ = std::move(image);
  return self;
}

Result<> LabMachine::boot(SnapshotStore& store, const TellStep& progress) {
  auto saved = store.open(snapshot_key(spec_, image_.hash),
                          [&](const std::string& path) { return boot_into(path, progress); });
  if (!saved) return fail(saved.error());
  const std::lock_guard guard(mutex_);
  snapshot_ = std::make_shared<const Descriptor>(std::move(*saved));
  store_ = store;
  return {};
}

namespace {

// What shows all that the machine says while it boots. A tree of Xen's is given as a whole.
std::string command_that_boots(const LabImage& image) {
  std::string command = fmt::format("vtax lab boot {}", name_of(image.kind));
  if (!image.release.empty()) command += " --stack " + image.release;
  const auto has = [&](std::string_view part) {
    return std::any_of(image.own_files.begin(), image.own_files.end(),
                       [&](const OwnFile& file) { return file.part == part; });
  };
  for (const OwnFile& file : image.own_files) {
    if (file.part == "kernel" || file.part == "modules")
      command += fmt::format(" --{} {}", file.part, file.path);
    if (file.part == "toolstack" || (file.part == "xen" && !has("toolstack")))
      command += " --xen " + file.path;
  }
  return command;
}

}  // namespace

Result<> LabMachine::boot_into(const std::string& path, const TellStep& progress) const {
  auto booted = boot_patiently(path, progress);
  if (booted || booted.error().code != ExitCode::trial_failed) return booted;
  std::string& next = booted.error().next;
  next = fmt::format("`{}` shows its whole console{}{}", command_that_boots(image_), next.empty() ? "" : "; ",
                     next);
  return booted;
}

Result<> LabMachine::boot_patiently(const std::string& path, const TellStep& progress) const {
  progress(fmt::format("booting {}{}{} once{}", name_of(image_.kind),
                       shape_.stack == kOwnDistribution ? "" : " of " + shape_.stack,
                       image_.guest_kernel ? " with guests' Linux " + image_.guest_kernel->release : "",
                       shape_.guests > 1 ? fmt::format(", with {} guests", shape_.guests) : "") +
           (shape_.driver_domains > 0 ? fmt::format(", driver domains: {}", shape_.driver_domains) : "") +
           (shape_.virtual_functions ? ", whose card has virtual functions" : ""));
  BootEnd end{};
  auto booted = boot_once(spec_, path, progress, end);
  if (booted || end == BootEnd::other) return booted;
  const std::string_view happened =
      end == BootEnd::guest_silent ? "a guest of {} stays silent" : "the emulator of {} died";
  progress(fmt::format("{}, it is booted once more: {}",
                       fmt::format(fmt::runtime(happened), name_of(image_.kind)), booted.error().text()));
  MachineSpec again = spec_;
  // A guest that hangs at its start does so in each boot of this very machine: Domain-0's xenwatch then waits
  // for ever, in one of some hundred machines. Another word for its kernel moves every moment of the boot. It
  // stays out of the machine's own arguments, which nobody reads again when it is resumed.
  if (end == BootEnd::guest_silent) again.kernel_arguments += kSecondBoot;
  booted = boot_once(again, path, progress, end);
  if (!booted && end != BootEnd::other) {
    Error error = booted.error();
    error.what = "booting twice: " + error.what;
    return fail(std::move(error));
  }
  return booted;
}

void LabMachine::tell_of_waiting(Emulator& machine, const TellStep& progress) const {
  machine.on_wait = [kind = image_.kind, progress](const Emulator::Waited& waited) {
    using std::chrono::seconds;
    progress(fmt::format("{}: at work for {} s, {} s of the emulator's CPU time{}; it may take {} s of that",
                         name_of(kind), waited.here / seconds(1), waited.spent / seconds(1),
                         waited.clock ? fmt::format(" and {} s by its own clock", waited.clock->count()) : "",
                         waited.bound.count()));
  };
}

Result<> LabMachine::boot_once(const MachineSpec& spec, const std::string& path, const TellStep& progress,
                               BootEnd& end) const {
  // Without the probe, which would take a third more of the time and change nothing.
  Wiring wiring;
  wiring.bounds.cpu_time = boot_limit(image_.kind, shape_);
  wiring.bounds.virtual_time = boot_limit(image_.kind, shape_);
  end = BootEnd::other;
  auto machine = Emulator::start(spec, wiring);
  if (!machine) {
    // With that code it was there and does not answer.
    if (machine.error().code == ExitCode::trial_failed) end = BootEnd::emulator_crashed;
    return fail(machine.error());
  }
  tell_of_waiting(**machine, progress);
  const auto done = become_ready(**machine, path);
  if ((*machine)->crashed()) end = BootEnd::emulator_crashed;
  if (!done && done.error().what.ends_with(kReachGuest)) end = BootEnd::guest_silent;
  return done;
}

Result<> LabMachine::become_ready(Emulator& machine, const std::string& path) {
  auto message = machine.next_message();
  if (!message) return fail(message.error());
  if (message->type != "ready") return fail(machine.with_console(read_guest_error(message->json)));
  if (auto stopped = machine.wait_until_stopped(); !stopped) return stopped;
  return machine.save(path);
}

Result<std::unique_ptr<Emulator>> LabMachine::resume(const Descriptor& snapshot, const Errand& errand) const {
  Wiring wiring;
  wiring.plan = errand.plan;
  wiring.state_fd = snapshot.get();
  if (errand.counts) wiring.probe = probe_;
  const PlanTerms terms = PlanTerms::of(errand.plan);
  wiring.bounds = terms.bounds(errand.wish.caches.has_value());
  wiring.probe_settings = probe_settings_ + fmt::format("parties {}\n", terms.parties);
  if (errand.wish.prices) wiring.probe_settings += price_settings(symbols_, *errand.wish.prices);
  if (errand.wish.caches) wiring.probe_settings += setting_of(*errand.wish.caches);
  if (errand.wish.schedule && symbols_.has_hypervisor) {
    auto wake = schedule_settings(symbols_);
    if (!wake) return fail(wake.error());
    wiring.probe_settings += *wake;
  }
  MachineSpec spec = spec_;
  spec.time = terms.time;
  spec.joint = errand.joint;
  auto machine = Emulator::start(spec, wiring);
  if (!machine) return machine;
  // While the emulator reads it, too.
  if (auto sound = SnapshotStore::check(snapshot_key(spec_, image_.hash), snapshot); !sound)
    return fail(sound.error());
  if (auto resumed = (*machine)->resume(); !resumed) return fail(resumed.error());
  return machine;
}

Result<std::unique_ptr<Emulator>> LabMachine::resume_or_heal(const Errand& errand,
                                                             const TellStep& progress) const {
  std::unique_lock lock(mutex_);
  const Snapshot used = snapshot_;
  lock.unlock();
  auto machine = resume(*used, errand);
  if (machine || machine.error().code != ExitCode::trial_failed) return machine;
  lock.lock();  // the first thread to come here boots; the others wait for it and find another snapshot
  if (snapshot_ == used) {
    progress(fmt::format("the booted machine of {} in the cache is damaged, it is booted anew: {}",
                         name_of(image_.kind), machine.error().why));
    auto fresh = store_->replace(snapshot_key(spec_, image_.hash), *used,
                                 [&](const std::string& path) { return boot_into(path, progress); });
    if (!fresh) {
      if (fresh.error().code == ExitCode::trial_failed) lost_ = fresh.error();
      return fail(fresh.error());
    }
    snapshot_ = std::make_shared<const Descriptor>(std::move(*fresh));
  }
  const Snapshot healed = snapshot_;
  lock.unlock();
  return resume(*healed, errand);
}

Result<Ledger> LabMachine::ledger_of(const Observation& seen, const std::set<int>& peer_cpus) const {
  ChargingRules charging;
  auto map = map_with_modules(seen.result.modules);
  if (!map) return fail(map.error());
  charging.map = std::move(*map);
  const bool has_driver = charging.map.has_hypervisor || charging.map.nested;
  if (has_driver) charging.drivers = {0};
  charging.domains = {charging.map.first_domain};
  for (int guest = 1; has_driver && guest <= shape_.guests; ++guest)
    charging.domains.push_back(fmt::format("guest{}", guest));
  for (int driver = 1; driver <= shape_.driver_domains; ++driver) {
    charging.drivers.insert(static_cast<int>(charging.domains.size()));
    charging.domains.push_back(fmt::format("driver{}", driver));
  }
  charging.peer_cpus = peer_cpus;
  if (auto added = add_program(seen.result.program, charging); !added) return fail(added.error());
  for (const RunTimeCode& code : seen.result.run_time)
    charging.map.add_run_time_code(code.domain.empty() ? charging.domains.front() : code.domain,
                                   code.cpu.value_or(-1), code.functions);
  return charge(*seen.window, charging);
}

// The kernel's own image holds what it maps into programs, as a library within it.
Result<SymbolTable> LabMachine::vdso_symbols(const ProgramCode& code) const {
  const auto kernel =
      read_file(symbols_.has_guest_kernel(code.domain) ? image_.guest_kernel->kernel : image_.kernel);
  if (!kernel) return fail(kernel.error());
  const std::string_view text(reinterpret_cast<const char*>(kernel->data()), kernel->size());
  constexpr std::string_view magic("\177ELF\2\1\1", 7);
  for (std::size_t at = text.find(magic, 1); at != std::string_view::npos; at = text.find(magic, at + 1)) {
    auto table = read_mapped_symbols(ByteView(*kernel).subspan(at), {}, code.file,
                                     {code.begin, code.end, code.offset});
    if (table && table->address_of("__vdso_gettimeofday")) return table;
  }
  return SymbolTable();
}

// A file that the image does not hold (the program made it, or the guest lies) has no symbols.
Result<> LabMachine::add_program(const std::vector<ProgramCode>& all, ChargingRules& charging) const {
  for (const ProgramCode& code : all) {
    const std::string& domain = code.domain.empty() ? charging.domains.front() : code.domain;
    const std::filesystem::path path = std::filesystem::path(code.file).relative_path();
    AddressMap::ProgramCode known{domain, code.cpu.value_or(-1), code.begin, code.end,
                                  code.called.empty() ? path.filename().string() : code.called};
    std::error_code error;
    if (code.file == "/vdso") {
      auto table = shared(vdso_symbols(code));
      if (!table) return fail(table.error());
      known.symbols = *table;
    } else if (image_.program && std::filesystem::is_regular_file(*image_.program / path, error)) {
      const auto file = read_file(*image_.program / path);
      if (!file) return fail(file.error());
      const std::string symbols = debug_file_of(*file);
      const auto apart = symbols.empty() ? Result<std::vector<std::uint8_t>>(std::vector<std::uint8_t>())
                                         : read_file(*image_.program / symbols);
      auto table = shared(read_mapped_symbols(*file, apart ? ByteView(*apart) : ByteView(), known.image,
                                              {code.begin, code.end, code.offset}));
      if (!table) return fail(table.error());
      known.symbols = *table;
    }
    charging.map.add_program_code(std::move(known));
  }
  return {};
}

Result<AddressMap> LabMachine::map_with_modules(
    const std::map<std::pair<std::string, std::string>, std::map<std::string, GuestAddress>>& loaded) const {
  AddressMap map = symbols_;
  for (const auto& [key, sections] : loaded) {
    const auto& [domain, name] = key;
    const auto& modules = symbols_.has_guest_kernel(domain) ? guest_modules_ : modules_;
    const auto module = modules.find(name);
    if (module == modules.end()) continue;
    auto table = shared(read_module_symbols(module->second, name, sections));
    if (!table) return fail(table.error());
    map.add_module(domain, name, *table);
  }
  return map;
}

std::string LabMachine::provenance(const TrialSpec& spec, const GuestResult& seen) const {
  const ParallelTime time = time_of(spec);
  nlohmann::json packages = nlohmann::json::array();
  for (const Package& package : image_.packages)
    packages.push_back({{"name", package.name}, {"version", package.version}, {"sha256", package.sha256}});
  nlohmann::json own = nlohmann::json::array();
  for (const OwnFile& file : image_.own_files)
    own.push_back({{"part", file.part}, {"path", file.path}, {"sha256", file.sha256}});
  nlohmann::json json = {{"machine", "lab"},
                         {"qemu", spec_.qemu.banner},
                         {"emulator_arguments", arguments_by_content(spec_)},
                         {"kernel_release", image_.kernel_release},
                         {"card", image_.card.device},
                         {"image", image_.hash},
                         {"packages", packages},
                         {"own_files", own},
                         {"changes", image_.changes},
                         {"round_instructions", time.round},
                         {"instruction_ns", fmt::format("{}/{}", time.speed.ns, time.speed.instructions)}};
  if (spec.machines > 1) json["joined"] = {{"machines", spec.machines}, {"link_us", spec.link_us}};
  if (spec.topology == Topology::joined && peer_ != nullptr)
    json["joined"] = {{"machines", 2},
                      {"link_us", spec.link_us},
                      {"peer",
                       {{"emulator_arguments", arguments_by_content(peer_->spec_)},
                        {"kernel_release", peer_->image_.kernel_release},
                        {"image", peer_->image_.hash}}}};
  if (spec.prices != "off") json["prices"] = spec.prices;
  if (has_guests(image_.kind)) json["guest_memory_mib"] = guest_memory_mib(image_, shape_);
  if (image_.guest_kernel) json["guest_kernel_release"] = image_.guest_kernel->release;
  if (!seen.output.empty()) json["client_output"] = seen.output;
  std::uint64_t left_out = 0;
  for (const RunTimeCode& code : seen.run_time) left_out += code.left_out;
  if (left_out > 0) json["run_time_names_left_out"] = left_out;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vtax::lab
