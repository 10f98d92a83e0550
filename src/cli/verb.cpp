#include "cli/verb.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <memory>
#include <utility>

#include "cli/describe.h"
#include "core/files.h"
#include "core/interruption.h"
#include "core/readable.h"
#include "machine/parts/lab_parts.h"
#include "study/suggest.h"

namespace vtax {
namespace {

constexpr const char* kSummary =
    "vtax measures what virtualisation costs: instructions by layer, exact, on real hypervisors.";
constexpr const char* kFooter =
    "\n`vtax help VERB` shows a verb's options, `vtax explain NAME` what a factor, layer or event is.\n"
    "Exit codes: 0 done; 1 a regression above the limit (compare); 2 wrong use or file; 3 this machine "
    "lacks\n"
    "something; 4 a trial failed; 5 disk or permission; 130 interrupted.";

int report(const Error& error) {
  std::cerr << "vtax: " << printable_lines(error.text()) << '\n';
  return static_cast<int>(error.code);
}

// What was missed while everything was told to end need not be missing.
Error said_of(const Error& error) {
  return interrupted() && error.code == ExitCode::unavailable ? interruption_error() : error;
}

// What a verb has printed is there, or its end is an error: a disk may be full, a file closed.
int with_output_written(int code) {
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::cout && std::ferror(stdout) == 0) return code;
  if (code == static_cast<int>(ExitCode::io)) return code;  // it was said
  // Which write has failed, and of what, is no longer known: one more line end asks again.
  const std::string what = "cannot write the standard output";
  const bool is_writable = ::write(STDOUT_FILENO, "\n", 1) == 1;
  const int failed = report(is_writable ? Error{what, "a part of it is missing", "", ExitCode::io}
                                        : system_error(what, errno));
  return code == 0 ? failed : code;
}

constexpr std::string_view kHelp = "help";          // `vtax help run` is `vtax run --help`
constexpr std::string_view kDescribe = "describe";  // for the build alone: `vtax describe FOLDER DATE`

// With which revision, and how it was built; the file is made beside the program
// (cmake/write_build_facts.cmake).
std::string version_text() {
  std::string text = "vtax " VTAX_VERSION;
  const auto file = lab::find_lab_part("vtax-build.txt");
  const auto facts = file ? read_text(*file) : fail(file.error());
  text += "\n" + (facts ? *facts : "how it was built is not known: vtax-build.txt is not beside it");
  if (text.ends_with('\n')) text.pop_back();
  return printable_lines(text);
}

// CLI11 says no more of a wrong verb than that it was not expected.
Result<> check_verb(const std::vector<Verb>& verbs, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs) {
    if (verb.name == argv[1]) return {};
    names.push_back(verb.name);
  }
  names.push_back(kHelp);
  return fail({fmt::format("'{}' is not a verb", argv[1]), "", suggestion(argv[1], names)});
}

// The subcommands that the command line names, and the last one's application.
struct Named {
  const CLI::App* app;
  std::string words;  // "vtax lab boot"
};

Named innermost(const CLI::App& app) {
  Named named{&app, app.get_name()};
  for (auto subs = named.app->get_subcommands(); !subs.empty(); subs = named.app->get_subcommands()) {
    named.app = subs.front();
    named.words += " " + named.app->get_name();
  }
  return named;
}

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// The nearest option to the first that is none.
std::string option_meant(const CLI::App& app) {
  const auto known = long_options(app);
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  for (const std::string& word : app.remaining(true)) {
    if (!word.starts_with("--")) continue;
    const std::string_view meant = nearest(std::string_view(word).substr(0, word.find('=')), candidates);
    if (!meant.empty()) return fmt::format("did you mean '{}'? ", meant);
  }
  return "";
}

// Of a group that was not told which of its verbs, or told one that it does not have.
Error verb_missing(const Named& named) {
  std::vector<std::string> names;
  for (const CLI::App* sub : named.app->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  const auto words = named.app->remaining(true);
  return {
      fmt::format("cannot run '{}'", named.words),
      words.empty() ? "it needs a verb" : fmt::format("'{}' is not a verb of it", printable(words.front())),
      suggestion(words.empty() ? "" : words.front(), {names.begin(), names.end()})};
}

// What CLI11 found wrong, as vtax says it.
Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const Named named = innermost(app);
  if (named.app->get_require_subcommand_min() > 0 && named.app->get_subcommands().empty())
    return verb_missing(named);
  return {fmt::format("cannot run '{}'", named.words), printable(error.what(), 500),
          fmt::format("{}`{} --help` shows its use", option_meant(*named.app), named.words)};
}

}  // namespace

Verb::Action add_group(CLI::App& app, const std::vector<Verb>& verbs) {
  app.require_subcommand(1);
  struct Choice {
    CLI::App* sub;
    Verb::Action action;
    bool ends_at_once;
  };
  std::vector<Choice> choices;
  for (const Verb& verb : verbs) {
    CLI::App* sub = app.add_subcommand(std::string(verb.name), std::string(verb.summary));
    sub->footer(fmt::format("\nExample:\n  {}", verb.example));
    choices.push_back({sub, verb.options(*sub), verb.ends_at_once});
  }
  return [choices]() -> Result<ExitCode> {
    for (const Choice& choice : choices) {
      if (!choice.sub->parsed()) continue;
      if (choice.ends_at_once) end_at_interruptions();
      return choice.action();
    }
    return ExitCode::usage;
  };
}

namespace {

int run_verb(const std::vector<Verb>& verbs, int argc, const char* const* argv) {
  CLI::App app(kSummary, "vtax");
  app.footer(kFooter);
  app.set_version_flag("--version", version_text, "Print version, revision and build, and exit");
  const Verb::Action run = add_group(app, verbs);
  if (argc == 4 && argv[1] == kDescribe) {
    const auto described = describe(app, argv[2], argv[3]);
    return described ? 0 : report(described.error());
  }
  std::vector<const char*> words(argv, argv + argc);
  if (argc > 1 && argv[1] == kHelp) {
    words.erase(words.begin() + 1);
    words.push_back("--help");
  }
  const int count = static_cast<int>(words.size());
  if (auto known = check_verb(verbs, count, words.data()); !known) return report(known.error());
  try {
    app.parse(count, words.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    return report(usage_error(app, error));
  }
  const Result<ExitCode> done = run();
  return done ? static_cast<int>(*done) : report(said_of(done.error()));
}

}  // namespace

int run_command_line(const std::vector<Verb>& verbs, int argc, const char* const* argv) {
  return with_output_written(run_verb(verbs, argc, argv));
}

}  // namespace vtax
