#include "cli/lab_shell.h"

#include <signal.h>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <memory>

#include "cli/lab_machine_options.h"
#include "machine/lab/emulator.h"
#include "machine/lab/shell_image.h"

namespace vtax {
namespace {

// Every key goes to the machine, Ctrl-C too; the terminal is as it was afterwards.
class RawTerminal {
 public:
  RawTerminal() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST | ONLCR;  // what vtax itself says stays readable
    raw_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (raw_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool raw_ = false;
};

Result<ExitCode> shell(const LabMachineOptions& options) {
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  auto machine = bootable_machine(options, *cache, false);
  if (!machine) return fail(machine.error());
  const auto initrd = lab::make_shell_initrd(machine->image, *cache, lab::Apt(), say_step);
  if (!initrd) return fail(initrd.error());
  machine->spec.initrd = initrd->path;
  machine->spec.real_time = true;
  say_step(fmt::format("booting the {} machine", options.machine));
  lab::Wiring wiring;
  wiring.console_input = true;
  signal(SIGPIPE, SIG_IGN);  // typed into a machine that has just ended
  auto running = lab::Emulator::start(machine->spec, wiring);
  if (!running) return fail(running.error());
  (*running)->on_console = write_console;
  const bool terminal = isatty(STDIN_FILENO) != 0;
  if (terminal) fmt::print(stderr, "`exit` or Ctrl-] ends it; nothing in it is kept\n");
  std::unique_ptr<RawTerminal> raw;
  if (terminal) raw = std::make_unique<RawTerminal>();
  if (auto done = (*running)->converse(STDIN_FILENO); !done) return fail(done.error());
  return ExitCode::ok;
}

Verb::Action add_lab_shell_options(CLI::App& app) {
  auto options = std::make_shared<LabMachineOptions>();
  add_lab_machine_options(app, *options);
  return [options] { return shell(*options); };
}

}  // namespace

Verb lab_shell_verb() {
  return {"shell", "A shell inside a lab machine, on its console (in Domain-0 for xen-pv)",
          "vtax lab shell xen-pv\n  echo 'ip link; lsmod' | vtax lab shell native", add_lab_shell_options};
}

}  // namespace vtax
