#include "cli/lab_machine_options.h"

#include <fmt/format.h>

#include <cstdio>

#include "machine/lab/lab_machine.h"
#include "machine/parts/stack_sources.h"
#include "subject/factor_table.h"

namespace vtax {

void add_lab_machine_options(CLI::App& app, LabMachineOptions& options) {
  std::vector<std::string> names;
  for (const PlatformId machine : lab_machines()) names.emplace_back(name_of(machine));
  const std::string help =
      fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
  app.add_option("MACHINE", options.machine, help)->check(CLI::IsMember(names))->capture_default_str();
  app.add_option("--stack", options.stack, "Boot what a study with this factor `stack` boots")
      ->check(CLI::IsMember(find_factor(common_factors(), "stack")->choices))
      ->capture_default_str();
  add_own_builds(app, options.own);
}

Result<BootableMachine> bootable_machine(const LabMachineOptions& options, lab::PackageCache& cache,
                                         bool talkative) {
  auto qemu = lab::fetch_qemu(cache, say_step);
  if (!qemu) return fail(qemu.error());
  const PlatformId kind = platform_named(options.machine).value_or(PlatformId::native);
  if (auto good = lab::check_stacks({{{options.stack}, {kind}}}, options.own.sources(), {}); !good)
    return fail(good.error());
  const auto sources = lab::sources_of_stack(options.stack, options.own.sources(), {});
  if (!sources) return fail(sources.error());
  auto image = lab::build_lab_image(kind, *sources, cache, lab::Apt(), say_step);
  if (!image) return fail(image.error());
  lab::MachineSpec spec = lab::spec_of(*image, *qemu);
  if (const auto quiet = spec.kernel_arguments.find("quiet"); talkative && quiet != std::string::npos)
    spec.kernel_arguments.replace(quiet, 5, "loglevel=7");
  return BootableMachine{std::move(*image), std::move(spec)};
}

void say_step(std::string_view step) {
  fmt::print(stderr, "{} ...\n", step);
}

void write_console(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace vtax
