#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "machine/parts/lab_image.h"
#include "subject/stack.h"

namespace vtax {

// --kernel, --modules and --xen: the user's own builds in place of the distribution's. Empty: not given.
struct OwnBuilds {
  std::string kernel, modules, xen;
  OwnStacks stacks = {};  // not of the command line, but of its study

  [[nodiscard]] lab::Sources sources() const;

  // "--xen", "--kernel" or "--modules": the first that was given; "" for none.
  [[nodiscard]] std::string first_option() const;
};

// Adds the three options; `builds` must live as long as the action that reads it.
void add_own_builds(CLI::App& app, OwnBuilds& builds);

}  // namespace vtax
