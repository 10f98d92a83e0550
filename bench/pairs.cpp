#include "bench/pairs.h"

#include <fmt/format.h>
#include <sched.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <regex>

#include "core/statistics.h"

namespace vtax::bench {
namespace {

std::string ratio(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  const double middle = std::exp(mean(logs).value_or(0));
  const auto interval = mean_interval(logs);
  if (!interval) return fmt::format("{:.2f}", middle);
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", middle, std::exp(interval->low), std::exp(interval->high));
}

double middle_of(const std::vector<Sample>& samples, double Sample::*what) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*what);
  return median(values).value_or(0);
}

std::string figure(double value) {
  return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
}

}  // namespace

Pairs read_pairs(int argc, char** argv) {
  Pairs pairs;
  if (argc > 1) pairs.count = std::atoi(argv[1]);
  if (argc > 2) pairs.seconds = std::atoi(argv[2]);
  if (pairs.count < 2 || pairs.seconds < 1)
    give_up(fmt::format("usage: {} [PAIRS [SECONDS]], at least 2 pairs of 1 s", argv[0]));
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> usable;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) usable.push_back(cpu);
  pairs.server_cpu = usable.at(0);
  pairs.client_cpu = usable.back();
  return pairs;
}

void give_up(const std::string& why) {
  std::cerr << why << '\n';
  std::exit(1);
}

std::string needed(const std::string& program) {
  const auto found = http::find_program(program);
  if (!found) give_up(program + " is not installed; scripts/install-dependencies --tests does");
  return *found;
}

double number_in(const std::string& text, const std::string& pattern) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex(pattern)))
    give_up("nothing like " + pattern + " in:\n" + text);
  return std::stod(found[1]);
}

PeerProgram::End run(const Pairs& pairs, const Arguments& arguments) {
  auto end =
      must(PeerProgram::start(arguments, pairs.client_cpu)).wait(std::chrono::seconds(pairs.seconds + 60));
  if (end.exit_code != 0) give_up(arguments[0] + " failed:\n" + end.out);
  return end;
}

void heading(const std::string& what, const std::string& other, const Units& units) {
  std::cout
      << fmt::format(
             "\n| {} | vtax, {} | {}, {} | ratio | vtax, {} | {} | ratio |\n|---|---|---|---|---|---|---|\n",
             what, units.rate, other, units.rate, units.cpu, other)
      << std::flush;
}

void compare(const Pairs& pairs, const std::string& name, const std::function<Sample()>& ours,
             const std::function<Sample()>& theirs, const Units& units) {
  std::vector<Sample> us, them;
  std::vector<double> rates, costs;
  for (int pair = 0; pair < pairs.count; ++pair) {
    if (pair % 2 == 0) us.push_back(ours());
    them.push_back(theirs());
    if (pair % 2 == 1) us.push_back(ours());
    rates.push_back(us.back().rate / them.back().rate);
    costs.push_back(us.back().cpu / them.back().cpu);
  }
  const auto rate = [&](const std::vector<Sample>& all) {
    return figure(middle_of(all, &Sample::rate) / units.rate_unit);
  };
  const auto cpu = [&](const std::vector<Sample>& all) {
    return figure(middle_of(all, &Sample::cpu) / units.cpu_unit);
  };
  std::cout << fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", name, rate(us), rate(them), ratio(rates),
                           cpu(us), cpu(them), ratio(costs))
            << std::flush;
}

}  // namespace vtax::bench
