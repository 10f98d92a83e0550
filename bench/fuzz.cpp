#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

// Hostile inputs without an end: fuzz --inputs 1e8 --seed 7. Best with sanitizers (preset asan). An input
// that crashes, hangs or gives an answer that cannot be is named, and can be tried again alone:
//   fuzz --target NAME --seed S --only N
namespace {

using vtax::fuzz::Target;

// Of the input that is tried, for whoever ends the program.
char current[200];  // NOLINT: a signal's handler reads it

void say_and_end(int signal) {
  static_cast<void>(!::write(STDERR_FILENO, current, std::char_traits<char>::length(current)));
  const char* const why = signal == SIGALRM ? ": hangs\n" : ": ends the program\n";
  static_cast<void>(!::write(STDERR_FILENO, why, std::char_traits<char>::length(why)));
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

struct Options {
  double inputs = 1e6;
  std::uint64_t seed = 1;
  std::string target;
  std::optional<std::uint64_t> only;
};

struct Tried {
  std::uint64_t inputs = 0, taken = 0;
  double seconds = 0, longest = 0;
};

Tried try_inputs(const Target& target, const Options& options, std::uint64_t from, std::uint64_t to) {
  const auto seeds = target.seeds();
  Tried tried;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t number = from; number < to; ++number) {
    *fmt::format_to_n(current, sizeof current - 1, "\nfuzz --target {} --seed {} --only {}", target.name,
                      options.seed, number)
         .out = '\0';
    const std::string input = input_of(target, seeds, options.seed, number);
    ::alarm(60);
    const std::clock_t before = std::clock();
    tried.taken += target.try_one(input) ? 1U : 0U;
    tried.longest = std::max(tried.longest, static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
    ++tried.inputs;
  }
  ::alarm(0);
  tried.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return tried;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Gives each parser of foreign input hostile inputs");
  app.add_option("--inputs", options.inputs, "how many, of all targets together: 1e8");
  app.add_option("--seed", options.seed, "other inputs for another number");
  app.add_option("--target", options.target, "one target alone");
  app.add_option("--only", options.only, "one input alone");
  CLI11_PARSE(app, argc, argv);
  for (const int signal : {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, say_and_end);

  std::vector<const Target*> chosen;
  double shares = 0;
  for (const Target& target : vtax::fuzz::targets()) {
    if (!options.target.empty() && target.name != options.target) continue;
    chosen.push_back(&target);
    shares += 1.0 / target.cost;
  }
  if (chosen.empty()) {
    std::cerr << "fuzz: there is no target " << options.target << '\n';
    return 2;
  }
  std::uint64_t all = 0;
  for (const Target* target : chosen) {
    const auto share = static_cast<std::uint64_t>(options.inputs / shares / target->cost) + 1;
    const std::uint64_t from = options.only.value_or(0), to = options.only ? from + 1 : share;
    const Tried tried = try_inputs(*target, options, from, to);
    all += tried.inputs;
    std::cout << fmt::format("{}: {} inputs, {} taken, {:.1f} s, the longest {:.1f} ms\n", target->name,
                             tried.inputs, tried.taken, tried.seconds, tried.longest * 1e3)
              << std::flush;
  }
  std::cout << fmt::format("{} inputs, seed {}: no crash, no hang, no answer that cannot be\n", all,
                           options.seed);
  return 0;
}
