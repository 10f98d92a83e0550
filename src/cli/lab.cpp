#include "cli/lab.h"

#include <fmt/format.h>

#include <memory>

#include "cli/lab_boot.h"
#include "cli/lab_clean.h"
#include "cli/lab_fetch.h"

namespace vtax {
namespace {

Verb::Action add_options(CLI::App& app) {
  app.require_subcommand(1);
  auto actions = std::make_shared<std::vector<std::pair<CLI::App*, Verb::Action>>>();
  for (const Verb& verb : {lab_fetch_verb(), lab_boot_verb(), lab_clean_verb()}) {
    CLI::App* sub = app.add_subcommand(std::string(verb.name), std::string(verb.summary));
    sub->footer(fmt::format("\nExample:\n  {}", verb.example));
    actions->emplace_back(sub, verb.options(*sub));
  }
  return [actions]() -> Result<ExitCode> {
    for (const auto& [sub, action] : *actions)
      if (sub->parsed()) return action();
    return ExitCode::usage;
  };
}

}  // namespace

Verb lab_verb() {
  return {"lab", "The emulated machine: its packages, a look inside, its cache",
          "vtax lab fetch\n  vtax lab boot xen-pv\n  vtax lab clean", add_options};
}

}  // namespace vtax
