#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "account/ledger.h"
#include "core/cache_shape.h"
#include "core/descriptor.h"
#include "core/lab_prices.h"
#include "core/result.h"
#include "machine/guest_result.h"
#include "machine/lab/emulator.h"
#include "machine/lab/machine_spec.h"
#include "machine/lab/variation.h"
#include "machine/parts/lab_image.h"
#include "machine/parts/snapshot_store.h"
#include "record/trial.h"
#include "subject/trial_spec.h"

namespace vtax::lab {

// What one trial brings home, before anything is charged.
struct Observation {
  std::string answer;  // the agent's result as it was sent
  GuestResult result;
  std::optional<ProbeWindow> window;  // none without a probe
  std::string console;                // what hypervisor and driver said since the snapshot
};

// What the probe does besides counting. The machine itself does not know, but of prices.
struct ProbeWish {
  std::optional<CacheShapes> caches = {};  // to model
  bool schedule = false;                   // to keep: Xen's machines alone
  std::optional<LabPrices> prices = {};    // at which time passes
};

// One of the lab's machines with everything that its trials share: image, symbols, the booted machine's
// snapshot. Prepare and boot it once, then run trials from any number of threads.
// The machine that boots this image.
[[nodiscard]] MachineSpec spec_of(const LabImage& image, Qemu qemu, const MachineShape& shape = {});

class LabMachine {
 public:
  // Reads the images' symbols. `agent`: the program that is PID 1 of the image (Sources::agent). `probe`: the
  // plugin that fits `qemu`; empty: nothing is counted, and trials have no ledger.
  [[nodiscard]] static Result<std::unique_ptr<LabMachine>> prepare(LabImage image,
                                                                   const std::filesystem::path& agent,
                                                                   Qemu qemu, std::filesystem::path probe,
                                                                   const MachineShape& shape = {});

  // Before boot(): another machine than others of its image.
  void perturb(const Variation& variation) { variation.apply(spec_); }

  // The machine whose resumed copies are the peers of trials with topology "joined"; it outlives this one.
  void join(const LabMachine& peer) { peer_ = &peer; }

  // Boots the machine into the store unless it is there already.
  [[nodiscard]] Result<> boot(SnapshotStore& store, const TellStep& progress);

  // Runs one plan from the snapshot, whose hash is checked. One that is damaged is replaced once, which
  // `progress` says, as it does each minute of the emulator's CPU time that brings no answer.
  [[nodiscard]] Result<Observation> observe(const std::string& plan, const TellStep& progress,
                                            const ProbeWish& wish = {}) const;

  // The same with the windows of repetition 1 to `windows`, one after the other in one machine: what each of
  // them counts does not depend on how many there are. `seen` hears of each when it has closed. Error: of the
  // window that failed, none follows it; or what `seen` gave.
  using Seen = std::function<Result<>(int window, Observation& observation)>;
  [[nodiscard]] Result<> observe_each(const std::string& plan, int windows, const TellStep& progress,
                                      const ProbeWish& wish, const Seen& seen) const;

  // Why the machine is gone, where it is: its snapshot did not resume, and it could not be booted anew.
  [[nodiscard]] std::optional<Error> lost() const {
    const std::lock_guard guard(mutex_);
    return lost_;
  }

  // Charges an observation's window, which it must have.
  [[nodiscard]] Result<Ledger> ledger_of(const Observation& seen, const std::set<int>& peer_cpus) const;

  // Both: one trial from the snapshot. `trial` brings index, repetition and factors; the rest is filled in.
  // Errors are trial_failed, but for interrupted.
  [[nodiscard]] Result<> run(Trial& trial, const TellStep& progress) const;

  // Several repetitions of a trial, ascending, in as few machines as give each the counts that it would have
  // alone. `done` hears of each as it comes, and why it failed; where a machine fails, its later repetitions
  // fail, too. Error: interrupted, or what `done` gave.
  using Done = std::function<Result<>(Trial trial, const std::optional<Error>& error)>;
  [[nodiscard]] Result<> run_repetitions(std::vector<Trial> trials, const TellStep& progress,
                                         const Done& done) const;

  [[nodiscard]] const LabImage& image() const { return image_; }
  [[nodiscard]] const MachineSpec& spec() const { return spec_; }

 private:
  using Snapshot = std::shared_ptr<const Descriptor>;

  LabMachine() = default;
  [[nodiscard]] Result<> boot_into(const std::string& path, const TellStep& progress) const;
  // A boot that dies of the emulator, or whose guest stays silent, is tried once more, which `progress` says.
  [[nodiscard]] Result<> boot_patiently(const std::string& path, const TellStep& progress) const;
  enum class BootEnd { other, emulator_crashed, guest_silent };
  [[nodiscard]] Result<> boot_once(const MachineSpec& spec, const std::string& path, const TellStep& progress,
                                   BootEnd& end) const;
  void tell_of_waiting(Emulator& machine, const TellStep& progress) const;
  [[nodiscard]] static Result<> become_ready(Emulator& machine, const std::string& path);
  // What a copy of the snapshot is resumed for.
  struct Errand {
    const std::string& plan;
    const ProbeWish& wish;
    std::optional<JointEnd> joint = std::nullopt;
    bool counts = true;  // by the probe
  };
  [[nodiscard]] Result<std::unique_ptr<Emulator>> resume(const Descriptor& snapshot,
                                                         const Errand& errand) const;
  [[nodiscard]] Result<std::unique_ptr<Emulator>> resume_or_heal(const Errand& errand,
                                                                 const TellStep& progress) const;
  [[nodiscard]] Result<AddressMap> map_with_modules(
      const std::map<std::pair<std::string, std::string>, std::map<std::string, GuestAddress>>& loaded) const;
  [[nodiscard]] Result<SymbolTable> vdso_symbols(const ProgramCode& code) const;
  [[nodiscard]] Result<> add_program(const std::vector<ProgramCode>& code, ChargingRules& charging) const;
  [[nodiscard]] std::string provenance(const TrialSpec& spec, const GuestResult& seen) const;
  [[nodiscard]] Result<> fill_in(Trial& trial, const Observation& seen, const TrialSpec& spec) const;
  [[nodiscard]] Result<> run_windows(std::span<Trial> trials, const TrialSpec& spec, int windows,
                                     const TellStep& progress, const Done& done) const;

  LabImage image_;
  MachineSpec spec_;
  std::filesystem::path probe_;
  MachineShape shape_;
  const LabMachine* peer_ = nullptr;
  AddressMap symbols_;  // all but the modules, whose addresses each trial tells
  std::map<std::string, std::vector<std::uint8_t>> modules_;  // their files, by name
  std::map<std::string, std::vector<std::uint8_t>>
      guest_modules_;  // likewise, of a kernel of the guests' own
  std::string probe_settings_;

  mutable std::mutex mutex_;  // of those below
  mutable std::optional<Error> lost_;
  mutable Snapshot snapshot_;
  mutable std::optional<SnapshotStore> store_;
};

// A booted machine: what runs in it, and its shape.
struct MachineKind {
  PlatformId image = PlatformId::native;
  MachineShape shape;

  auto operator<=>(const MachineKind&) const = default;
};

// Which machine a trial needs. Errors (usage): trial_spec_of()'s.
[[nodiscard]] MachineKind machine_of(const TrialSpec& trial);
[[nodiscard]] Result<MachineKind> machine_of(const std::map<std::string, std::string>& factors);

// Which machine its peer is in, where that is not the same one.
[[nodiscard]] std::optional<MachineKind> peer_machine_of(const TrialSpec& trial);

// Whether repetitions of this trial are windows of one resumed machine (otherwise each has a machine of its
// own, which begins later): not where the first window leaves the next one something else than it found.
[[nodiscard]] bool repeats_in_one_machine(const TrialSpec& trial);

// The trial's plan as the agent reads it: docs/design/architecture.md, "The plan".
[[nodiscard]] Result<std::string> plan_of(const TrialSpec& trial, int repetition);
[[nodiscard]] Result<std::string> plan_of(const Trial& trial);

// Of a plan for machines that are joined: how long a packet takes between them, and the plans of those
// beside the first. No value: another plan, or none at all.
struct JoinedPlan {
  std::chrono::nanoseconds latency{};
  bool has_peer = false;            // the one other is the peer's; otherwise they are machines like the first
  std::vector<std::string> others;  // from seat 1 on
};
[[nodiscard]] std::optional<JoinedPlan> joined_plan_of(const std::string& plan);

}  // namespace vtax::lab
