#include "cli/lab_boot.h"

#include <memory>

#include "cli/lab_machine_options.h"
#include "cli/say.h"
#include "machine/guest_result.h"
#include "machine/lab/emulator.h"

namespace vtax {
namespace {

Result<ExitCode> boot(const LabMachineOptions& options) {
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  const auto bootable = bootable_machine(options, *cache, true);
  if (!bootable) return fail(bootable.error());
  auto machine = lab::Emulator::start(bootable->spec, {});
  if (!machine) return fail(machine.error());
  (*machine)->on_console = write_console;
  auto message = (*machine)->next_message();
  if (!message) return fail(message.error());
  if (message->type != "ready") return fail(lab::read_guest_error(message->json));
  say("\nThe {} machine is up; a trial would begin here.\n", options.machine);
  return ExitCode::ok;
}

Verb::Action add_lab_boot_options(CLI::App& app) {
  auto options = std::make_shared<LabMachineOptions>();
  add_lab_machine_options(app, *options);
  return [options] { return boot(*options); };
}

}  // namespace

Verb lab_boot_verb() {
  return {"boot", "Boot a lab machine and show its console until it is ready for a trial",
          "vtax lab boot xen-pv\n  vtax lab boot native --kernel ./bzImage --modules ./build",
          add_lab_boot_options};
}

}  // namespace vtax
