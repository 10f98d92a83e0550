#include "cli/profile.h"

#include <fmt/format.h>
#include <unistd.h>

#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/guest_agents.h"
#include "cli/measure_options.h"
#include "cli/number_within.h"
#include "cli/token_options.h"
#include "core/interruption.h"
#include "core/readable.h"
#include "profile/agent.h"
#include "profile/merge.h"
#include "profile/monitor.h"
#include "profile/print.h"
#include "report/firefox_profile.h"
#include "report/output.h"
#include "report/pprof.h"
#include "watch/watch.h"

namespace vtax {
namespace {

struct ProfileGiven {
  std::string duration = "10s", event = "cpu-clock";
  std::optional<std::uint64_t> hz;
  std::uint64_t period = 0;
  double most_cost = 1;  // per cent
  GuestAgentsGiven agents;
  std::string format = "table", output = "-";
  std::size_t rows = 40;
};

using SampleWriter = void (*)(const profile::Merged&, std::ostream&);

const std::map<std::string, SampleWriter>& sample_writers() {
  static const std::map<std::string, SampleWriter> all{
      {"json", profile::write_json},
      {"folded", [](const profile::Merged& m, std::ostream& out) { write_folded(m.profile, out); }},
      {"pprof", [](const profile::Merged& m, std::ostream& out) { write_pprof(m.profile, out); }},
      {"firefox", [](const profile::Merged& m, std::ostream& out) { write_firefox_profile(m.profile, out); }},
      {"callgrind", [](const profile::Merged& m,
                       std::ostream& out) { write_callgrind(profile::by_function(m.profile), out); }},
      {"perf-script", profile::write_perf_script}};
  return all;
}

Result<profile::MonitorOptions> monitor_options(const ProfileGiven& given) {
  profile::MonitorOptions options;
  const auto duration = duration_of("--duration", given.duration);
  if (!duration) return fail(duration.error());
  constexpr std::chrono::hours kLongest{24};
  if (duration->count() <= 0 || *duration > kLongest)
    return fail({"no such duration", given.duration, "above zero, at most 24 hours: --duration 10s"});
  options.duration = *duration;
  options.event = profile::event_named(given.event).value_or(profile::Event::cpu_clock);
  if (given.hz) options.hz = *given.hz;
  options.period = given.period;
  options.most_cost = given.most_cost / 100;
  const bool by_clock = options.event == profile::Event::cpu_clock;
  if (by_clock && given.period != 0)
    return fail({"cannot use --period with --event cpu-clock", "it is of events", "--hz says how often"});
  if (!by_clock && given.hz)
    return fail({fmt::format("cannot use --hz with --event {}", given.event), "it is of cpu-clock",
                 "--period says after how many events a sample is taken"});
  if (!by_clock && given.period == 0)
    return fail({fmt::format("how often, of {}?", given.event), "--period was not given",
                 "for example --period 10000000"});
  return options;
}

// As far as the host knows them.
std::optional<std::size_t> virtual_cpus_of(const watch::Inventory& inventory, const std::string& name) {
  for (std::size_t i = 0; i < inventory.guests.size(); ++i) {
    if (inventory.guests[i].name != name) continue;
    std::set<int> cpus;
    for (const auto& [thread, whose] : inventory.threads)
      if (whose.part == watch::Part::own && whose.guest == i && whose.virtual_cpu >= 0)
        cpus.insert(whose.virtual_cpu);
    if (!cpus.empty()) return cpus.size();
  }
  return std::nullopt;
}

struct Asked {
  profile::GuestSide side;
  std::optional<profile::AskedAgent> agent;
};

Result<std::vector<Asked>> ask_agents(const ProfileGiven& given, const profile::MonitorOptions& options) {
  std::vector<Asked> asked;
  const auto addresses = addresses_of(given.agents);
  if (!addresses) return fail(addresses.error());
  if (addresses->empty()) return asked;
  const auto secret = secret_of(given.agents.token, given.agents.token_file);
  if (!secret) return fail(secret.error());
  // All at once: an agent that is ready does not wait for long.
  std::vector<std::future<Result<profile::AskedAgent>>> answers;
  for (const profile::AgentAddress& address : *addresses)
    answers.push_back(
        std::async(std::launch::async, [&] { return profile::AskedAgent::ask(address, *secret, options); }));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Asked& one = asked.emplace_back();
    one.side.guest = (*addresses)[i].guest;
    auto agent = answers[i].get();
    if (agent)
      one.agent.emplace(std::move(*agent));
    else
      one.side.missing = agent.error().text();
  }
  if (interrupted()) return fail(interruption_error());
  return asked;
}

Result<ExitCode> run_profile(const ProfileGiven& given) {
  if (auto good = no_token_in_arguments(given.agents.token); !good) return fail(good.error());
  const auto options = monitor_options(given);
  if (!options) return fail(options.error());
  auto monitor = profile::Monitor::open(*options);
  if (!monitor) return fail(monitor.error());
  auto asked = ask_agents(given, *options);
  if (!asked) return fail(asked.error());
  auto output = Output::open(given.output);
  if (!output) return fail(output.error());

  auto watch = watch::Watch::start({});
  if (!watch) return fail(watch.error());
  profile::HostSide host;
  host.before = watch->inventory();
  for (Asked& one : *asked)
    if (one.agent)
      if (auto gone = one.agent->go(virtual_cpus_of(host.before, one.side.guest)); !gone) {
        one.side.missing = gone.error().text();
        one.agent.reset();
      }
  if (auto started = monitor->start(); !started) return fail(started.error());
  monitor->run();
  if (interrupted()) return fail(interruption_error());
  auto reading = watch->read();
  if (!reading) return fail(reading.error());
  host.reading = std::move(*reading);
  host.after = watch->inventory();
  host.profile = monitor->finish();

  std::vector<profile::GuestSide> guests;
  bool whole = true;
  for (Asked& one : *asked) {
    if (one.agent) {
      auto made = one.agent->profile();
      if (interrupted()) return fail(interruption_error());
      if (made)
        one.side.profile = std::move(*made);
      else
        one.side.missing = made.error().text();
    }
    whole = whole && one.side.profile.has_value();
    if (!one.side.profile)
      std::cerr << "vtax: warning: " << printable_lines(one.side.guest + " is missing: " + one.side.missing)
                << std::endl;
    guests.push_back(std::move(one.side));
  }
  const profile::Merged merged = profile::merge(host, guests);
  if (given.format == "table")
    profile::write_table(merged, given.rows, output->stream());
  else
    sample_writers().at(given.format)(merged, output->stream());
  if (auto written = output->commit(); !written) return fail(written.error());
  return whole ? ExitCode::ok : ExitCode::trial_failed;
}

Verb::Action add_profile_options(CLI::App& app) {
  auto given = std::make_shared<ProfileGiven>();
  app.add_option("-d,--duration", given->duration, "How long to sample")->capture_default_str();
  app.add_option("--hz", given->hz, "Samples a second of each CPU, by its clock")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{20'000}))
      ->default_str(std::to_string(profile::MonitorOptions().hz));
  app.add_option("--event", given->event, "cpu-clock; cycles, instructions: where there are such counters")
      ->check(CLI::IsMember({"cpu-clock", "cycles", "instructions"}))
      ->capture_default_str();
  app.add_option("--period", given->period, "Events between two samples, of cycles and instructions");
  app.add_option("--most-cost", given->most_cost,
                 "Per cent of each CPU that sampling may take; --hz is lowered to it, with words")
      ->check(NumberWithin(0.001, 50))
      ->capture_default_str();
  add_guest_agents(app, given->agents);
  std::set<std::string> formats{"table"};
  for (const auto& [name, writer] : sample_writers()) formats.insert(name);
  app.add_option("--format", given->format,
                 "table, json, folded (flame graphs), pprof (`go tool pprof`),\n"
                 "firefox (profiler.firefox.com), callgrind, perf-script")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  app.add_option("--rows", given->rows, "Most functions of a table; 0: all")->capture_default_str();
  app.add_option("-o,--output", given->output, "Into this file")->capture_default_str();
  return [given] { return run_profile(*given); };
}

}  // namespace

Verb profile_verb() {
  return {"profile",
          "Which functions the CPUs run, and for which guest: samples of this computer and its guests",
          "vtax profile -d 10s\n  vtax profile --hz 499 --format folded -o stacks.txt\n"
          "  vtax profile --guest web1=192.0.2.7 --guest db=vsock:3 --token-file F --format pprof -o p.pb.gz",
          add_profile_options};
}

}  // namespace vtax
