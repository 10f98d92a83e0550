#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/own_builds.h"
#include "machine/lab/machine_spec.h"
#include "machine/parts/lab_image.h"

namespace vtax {

// Which lab machine to boot by hand, and of what.
struct LabMachineOptions {
  std::string machine = "native";
  std::string stack = std::string(kOwnDistribution);  // no study describes others
  OwnBuilds own;
};

void add_lab_machine_options(CLI::App& app, LabMachineOptions& options);

struct BootableMachine {
  lab::LabImage image;
  lab::MachineSpec spec;
};

// Fetched and built as far as it is not in the cache, with its kernel's messages on the console if
// `talkative` (in measured boots they are left out). Says on standard error what takes time.
[[nodiscard]] Result<BootableMachine> bootable_machine(const LabMachineOptions& options,
                                                       lab::PackageCache& cache, bool talkative);

void say_step(std::string_view step);
void write_console(std::string_view text);

}  // namespace vtax
