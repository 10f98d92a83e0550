#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "account/probe_output.h"
#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/guest_messages.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// What goes into a machine besides the machine itself.
struct Wiring {
  std::string plan;             // read by the guest as fw_cfg file opt/vtax/plan; padded to 64 KiB
  int state_fd = -1;            // a saved machine to resume, or -1 to boot
  std::filesystem::path probe;  // the plugin; empty: none
  std::string probe_settings;
  // What the emulator may take until it is told otherwise (grant_anew); 0: only the probe knows a limit.
  std::chrono::seconds cpu_limit{0};
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
  // panicked, spent its time limit or executes nothing any more; the console's last lines are part of it.
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

  // From now on the machine may take Wiring::cpu_limit once more.
  void grant_anew();

  // All that the machine has said on its console.
  [[nodiscard]] const std::string& console() const { return console_; }
  [[nodiscard]] std::string console_tail(std::size_t lines = 20) const;

  // The same as an error's advice.
  [[nodiscard]] Error with_console(Error error) const;

  // The emulator itself has failed: a signal ended it, or it gave up with an exit code.
  [[nodiscard]] bool crashed() const;

  std::function<void(const std::string& json)> on_progress;
  // As it comes, unfiltered; the emulator's own words among it.
  std::function<void(std::string_view text)> on_console;

 private:
  Emulator() = default;
  Result<nlohmann::json> command(const std::string& name,
                                 nlohmann::json arguments = nlohmann::json::object());
  Result<> send_command(const std::string& name, nlohmann::json arguments);
  Result<> pump(std::chrono::milliseconds timeout);
  Result<> check_alive();
  Result<> type(std::string_view keys);
  void take_monitor_lines();
  void show(int from, std::string& kept) const;
  Error died(std::string why) const;
  ProbeStatus probe_status() const;
  Result<> read_probe(std::span<std::byte> into) const;  // what begins at `probe_read_`

  int pid_ = -1;
  bool ended_ = false;
  bool stopped_ = false;
  int status_ = 0;
  Descriptor process_, monitor_, messages_fd_, console_fd_, words_fd_, console_input_, probe_out_,
      probe_settings_, plan_;
  std::string monitor_text_, console_;
  std::string words_;  // what the emulator wrote to its standard output and error
  std::deque<nlohmann::json> replies_;
  int unawaited_ = 0;    // replies that nobody waits for
  std::string refused_;  // why such a command was refused
  GuestMessages messages_;
  std::size_t probe_read_ = sizeof(probe::Header);
  std::uint32_t probe_windows_ = 0;  // that were read
  std::chrono::seconds cpu_limit_{0};
  std::chrono::nanoseconds cpu_from_{0};
  std::chrono::nanoseconds spent_at_progress_{0};  // CPU time
  std::chrono::steady_clock::time_point last_progress_ = std::chrono::steady_clock::now();
};

}  // namespace vtax::lab
