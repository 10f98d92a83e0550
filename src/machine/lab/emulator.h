#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account/probe_output.h"
#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/guest_messages.h"
#include "machine/lab/machine_spec.h"
#include "machine/lab/probe_file.h"

namespace vtax::lab {

// What a machine may take before it is taken for hung: until its first window has closed, and for each other
// one. 0: no such bound. The first two are the probe's.
struct Bounds {
  std::uint64_t instructions = 0;            // of all its CPUs
  std::chrono::nanoseconds virtual_time{0};  // by its own clock
  std::chrono::seconds cpu_time{0};          // the emulator's
};

// What goes into a machine besides the machine itself.
struct Wiring {
  std::string plan;             // read by the guest as fw_cfg file opt/vtax/plan; padded to 64 KiB
  int state_fd = -1;            // a saved machine to resume, or -1 to boot
  std::filesystem::path probe;  // the plugin; empty: none
  std::string probe_settings;
  Bounds bounds;
  bool console_input = false;  // for converse()
};

// One running QEMU. Everything between it and us is an anonymous descriptor: no socket and no temporary file
// exists that a killed process could leave behind, and the kernel kills QEMU when the thread that started it
// ends. Not thread safe; start, use and destroy it on one thread.
class Emulator {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Emulator>> start(const MachineSpec& spec, const Wiring& wiring);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  // The agent's next message other than "progress" (those go to `on_progress`). Error: the machine ended,
  // panicked, passed one of its bounds or executes nothing any more; the console's last lines are part of it.
  [[nodiscard]] Result<GuestMessage> next_message();

  // The guest has stopped the machine by itself (its watchdog fired).
  [[nodiscard]] Result<> wait_until_stopped();

  // Saves the stopped machine into a file; a path under /proc/PID/fd serves.
  [[nodiscard]] Result<> save(const std::string& path);

  // Lets a resumed or stopped machine run.
  [[nodiscard]] Result<> resume();

  // Carries what comes from `input` to the machine's console until the machine ends. It is held back until
  // the agent is ready for it; its end is the console's end of file, and Ctrl-] ends the machine.
  [[nodiscard]] Result<> converse(int input);

  // Powers off or was killed; returns once the process is gone.
  [[nodiscard]] Result<> wait_until_ended();

  // The first window that the probe has closed, the second at the next call, ...: each once. Error: there is
  // no further one yet, or its record is damaged.
  [[nodiscard]] Result<ProbeWindow> next_probe_window();

  // From now on the machine may take Bounds::cpu_time once more.
  void grant_anew();

  // All that the machine has said on its console.
  [[nodiscard]] const std::string& console() const { return console_; }
  [[nodiscard]] std::string console_tail(std::size_t lines = 40) const;

  // The same as an error's advice.
  [[nodiscard]] Error with_console(Error error) const;

  // The emulator itself has failed: a signal ended it, or it gave up with an exit code.
  [[nodiscard]] bool crashed() const;

  // Machines that this one is joined to, with their names for people. They say nothing unless they fail;
  // next_message() then fails, too.
  std::vector<std::pair<std::string, Emulator*>> beside;

  std::function<void(const std::string& json)> on_progress;
  // What has passed without an answer.
  struct Waited {
    std::chrono::nanoseconds here{}, spent{};  // by the clock on the wall, and of the emulator's CPU time
    std::chrono::seconds bound{};              // of the latter; 0: none
    std::optional<std::chrono::seconds>
        clock;  // of the machine's own time, where it is known (of a long boot)
  };
  // Each time this much more has passed here.
  std::function<void(const Waited& waited)> on_wait;
  std::chrono::nanoseconds wait_step = std::chrono::seconds(20);
  // How often a boot is asked for its clock, in the emulator's CPU time.
  std::chrono::nanoseconds clock_step = std::chrono::minutes(1);
  // As it comes, unfiltered; the emulator's own words among it.
  std::function<void(std::string_view text)> on_console;

 private:
  Emulator() = default;
  Result<nlohmann::json> command(const std::string& name,
                                 nlohmann::json arguments = nlohmann::json::object());
  Result<> send_command(const std::string& name, nlohmann::json arguments);
  Result<> pump(std::chrono::milliseconds timeout);
  Result<> check_alive();
  Result<> look(const std::string& name);
  Result<> type(std::string_view keys);
  void take_monitor_lines();
  [[nodiscard]] Result<> ask_for_clock();
  void take_clock(const nlohmann::json& reply);
  void show(int from, std::string& kept) const;
  Error died(std::string why) const;
  Error over(const std::string& bound) const;

  int pid_ = -1;
  bool ended_ = false;
  bool stopped_ = false;
  bool runs_xen_ = false;
  int status_ = 0;
  Descriptor process_, monitor_, messages_fd_, console_fd_, words_fd_, console_input_, plan_;
  ProbeFile probe_;
  std::string monitor_text_, console_;
  std::string words_;  // what the emulator wrote to its standard output and error
  std::deque<nlohmann::json> replies_;
  int unawaited_ = 0;    // replies that nobody waits for
  std::string refused_;  // why such a command was refused
  GuestMessages messages_;
  std::chrono::seconds cpu_bound_{0};
  std::chrono::nanoseconds cpu_from_{0};
  std::chrono::steady_clock::time_point waits_from_ = std::chrono::steady_clock::now();
  int steps_told_ = 0, clock_steps_ = 0;
  // Of a boot, which has no probe to look at the machine's clock: its bound, when it began, what it took.
  std::chrono::nanoseconds clock_bound_{0};
  std::chrono::sys_seconds boot_date_{};
  std::optional<std::chrono::seconds> clock_;
  bool is_beside_ = false;                         // another machine looks at it
  std::chrono::nanoseconds spent_at_progress_{0};  // CPU time, of those beside it, too
  std::chrono::steady_clock::time_point last_progress_ = std::chrono::steady_clock::now();
};

}  // namespace vtax::lab
