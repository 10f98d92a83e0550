#include "cli/lab_boot.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "cli/own_builds.h"
#include "machine/lab/emulator.h"
#include "machine/lab/guest_result.h"
#include "machine/lab/lab_image.h"
#include "machine/lab/lab_machine.h"

namespace vtax {
namespace {

struct Options {
  std::string machine = "native";
  OwnBuilds own;
};

void say(std::string_view step) {
  fmt::print(stderr, "{} ...\n", step);
}

// The kernels' messages are left out of measured boots.
std::string talkative(std::string arguments) {
  const auto quiet = arguments.find("quiet");
  if (quiet != std::string::npos) arguments.replace(quiet, 5, "loglevel=7");
  return arguments;
}

Result<ExitCode> boot(const Options& options) {
  auto cache = lab::PackageCache::open();
  if (!cache) return fail(cache.error());
  auto qemu = lab::fetch_qemu(*cache, say);
  if (!qemu) return fail(qemu.error());
  auto image =
      lab::build_lab_image(lab::machine_of(options.machine), options.own.sources(), *cache, lab::Apt(), say);
  if (!image) return fail(image.error());

  lab::MachineSpec spec;
  spec.qemu = *qemu;
  spec.kernel = image->kernel;
  spec.initrd = image->initrd;
  if (image->xen) spec.xen = *image->xen;
  spec.kernel_arguments = talkative(image->kernel_command_line);
  spec.xen_arguments = image->xen_command_line;
  auto machine = lab::Emulator::start(spec, {});
  if (!machine) return fail(machine.error());
  (*machine)->on_console = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  auto message = (*machine)->next_message();
  if (!message) return fail(message.error());
  if (message->type != "ready") return fail(lab::read_guest_error(message->json));
  fmt::print("\nThe {} machine is up; a trial would begin here.\n", options.machine);
  return ExitCode::ok;
}

Verb::Action add_options(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MACHINE", options->machine, "native or xen-pv")
      ->check(CLI::IsMember({"native", "xen-pv"}))
      ->capture_default_str();
  add_own_builds(app, options->own);
  return [options] { return boot(*options); };
}

}  // namespace

Verb lab_boot_verb() {
  return {"boot", "Boot a lab machine and show its console until it is ready for a trial",
          "vtax lab boot xen-pv\n  vtax lab boot native --kernel ./bzImage --modules ./build", add_options};
}

}  // namespace vtax
