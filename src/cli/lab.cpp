#include "cli/lab.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "cli/lab_fetch.h"

namespace vtax {
namespace {

Verb::Action add_options(CLI::App& app) {
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Verb::Action>> actions;
  for (const Verb& verb : {lab_fetch_verb()}) {
    CLI::App* sub = app.add_subcommand(std::string(verb.name), std::string(verb.summary));
    sub->footer(fmt::format("\nExample:\n  {}", verb.example));
    actions.emplace_back(sub, verb.options(*sub));
  }
  return [actions]() -> Result<ExitCode> {
    for (const auto& [sub, action] : actions)
      if (sub->parsed()) return action();
    return ExitCode::usage;
  };
}

}  // namespace

Verb lab_verb() {
  return {"lab", "The emulated machine: its packages", "vtax lab fetch", add_options};
}

}  // namespace vtax
