#include "cli/verb.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <utility>

#include "study/suggest.h"

namespace vtax {
namespace {

constexpr const char* kSummary =
    "vtax measures what virtualisation costs: instructions by layer, exact, on real hypervisors.";
constexpr const char* kFooter =
    "\nExit codes: 0 done; 1 a regression above the limit (compare); 2 wrong use or file; 3 this machine "
    "lacks\n"
    "something; 4 a trial failed; 5 disk or permission; 130 interrupted.";

int report(const Error& error) {
  std::cerr << "vtax: " << error.text() << '\n';
  return static_cast<int>(error.code);
}

// CLI11 says no more of a wrong verb than that it was not expected.
Result<> check_verb(const std::vector<Verb>& verbs, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs) {
    if (verb.name == argv[1]) return {};
    names.push_back(verb.name);
  }
  return fail({fmt::format("'{}' is not a verb", argv[1]), "", suggestion(argv[1], names)});
}

}  // namespace

Verb::Action add_group(CLI::App& app, const std::vector<Verb>& verbs) {
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Verb::Action>> actions;
  for (const Verb& verb : verbs) {
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

int run_command_line(const std::vector<Verb>& verbs, int argc, const char* const* argv) {
  CLI::App app(kSummary, "vtax");
  app.footer(kFooter);
  app.set_version_flag("--version", VTAX_VERSION, "Print the version and exit");
  const Verb::Action run = add_group(app, verbs);
  if (auto known = check_verb(verbs, argc, argv); !known) return report(known.error());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(ExitCode::ok) : static_cast<int>(ExitCode::usage);
  }
  const Result<ExitCode> done = run();
  return done ? static_cast<int>(*done) : report(done.error());
}

}  // namespace vtax
