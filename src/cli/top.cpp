#include "cli/top.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/guest_agents.h"
#include "cli/say.h"
#include "cli/token_options.h"
#include "cli/top_sink.h"
#include "core/interruption.h"
#include "core/readable.h"
#include "profile/inside_agents.h"
#include "study/suggest.h"
#include "watch/show/delay.h"
#include "watch/show/figures.h"
#include "watch/watch.h"

namespace vtax {
namespace {

struct TopOptions {
  bool batch = false, json = false, csv = false;
  std::string delay = "1";
  std::optional<std::uint64_t> iterations;
  std::string charge = "work";
  std::string sort = "sum";
  std::string filter;
  std::string once;
  std::string listen, out;
  GuestAgentsGiven agents;
};

using Clock = std::chrono::steady_clock;

using Sinks = std::vector<std::unique_ptr<TopSink>>;

// Waits until the deadline, or a sink's wish; meanwhile the sinks do what they wait for. The wish is to quit
// when the process was told to end.
watch::Wish wait_until(Clock::time_point deadline, const Sinks& sinks) {
  while (!interrupted()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return {};
    std::vector<pollfd> all{{interruption_fd(), POLLIN, 0}};
    std::vector<std::vector<pollfd>> of_sinks;
    for (const auto& sink : sinks) {
      of_sinks.push_back(sink->waits_for());
      all.insert(all.end(), of_sinks.back().begin(), of_sinks.back().end());
    }
    // Sinks have limits of time of their own, of seconds.
    static_cast<void>(poll(all.data(), all.size(), static_cast<int>(std::min<std::int64_t>(left, 5'000))));
    std::size_t place = 1;
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      for (pollfd& one : of_sinks[i]) one = all[place++];
      const watch::Wish wish = sinks[i]->woken(of_sinks[i]);
      if (wish.quit || wish.read_now || wish.delay) return wish;
    }
  }
  return {true, false, std::nullopt};
}

Result<watch::Arrangement> arrangement_of(const TopOptions& options) {
  watch::Arrangement by;
  by.filter = options.filter;
  by.sort = watch::column_named(options.sort);
  if (by.sort != nullptr) return by;
  std::vector<std::string_view> names;
  for (const watch::Column& column : watch::columns()) names.push_back(column.name);
  return fail({fmt::format("cannot sort by '{}'", printable(options.sort)), "there is no such column",
               suggestion(options.sort, names)});
}

// What is left over of one interval does not make the next one shorter, and one that took too long is not
// made up for by two at once.
Clock::time_point next_deadline(Clock::time_point last, std::chrono::nanoseconds delay) {
  const auto next = last + delay, now = Clock::now();
  return next > now ? next : now + delay;
}

// The guest's time before vtax came is its own, too: no interval is waited for.
Result<ExitCode> busy_so_far(watch::Watch& watch, const std::string& name) {
  const auto reading = watch.read();
  if (!reading) return fail(reading.error());
  std::vector<std::string_view> names;
  for (const watch::GuestUse& guest : reading->guests) {
    names.push_back(guest.name);
    if (guest.name != name) continue;
    if (!guest.busy_so_far_ns)
      return fail({fmt::format("cannot tell how long '{}' was busy", printable(name)),
                   "this computer does not count it for a guest of this kind",
                   "`vtax top` shows its time from now on", ExitCode::unavailable});
    say("{} {}\n", name, watch::seconds_text(*guest.busy_so_far_ns));
    return ExitCode::ok;
  }
  const std::string what = fmt::format("no guest here is named '{}'", printable(name));
  if (names.empty())
    return fail({what, "there is none at all", "`vtax top -b -i 1` says what cannot be seen"});
  return fail({what, "", suggestion(name, names)});
}

// Agents in guests, where any are asked.
using Agents = std::unique_ptr<profile::InsideAgents>;

Result<Agents> agents_of(const GuestAgentsGiven& given) {
  if (auto good = no_token_in_arguments(given.token); !good) return fail(good.error());
  auto addresses = addresses_of(given);
  if (!addresses) return fail(addresses.error());
  if (addresses->empty()) return Agents();
  const auto secret = secret_of(given.token, given.token_file);
  if (!secret) return fail(secret.error());
  return std::make_unique<profile::InsideAgents>(std::move(*addresses), *secret);
}

Result<> bring(watch::Watch& watch, const Agents& agents, const Sinks& sinks) {
  if (agents) agents->ask();
  auto reading = watch.read();
  if (!reading) return fail(reading.error());
  if (agents) agents->add_to(*reading);
  for (const auto& sink : sinks)
    if (auto taken = sink->take(*reading); !taken) return taken;
  return {};
}

Result<ExitCode> watch_and_bring(watch::Watch& watch, const Agents& agents, const TopOptions& options,
                                 std::chrono::nanoseconds delay, const Sinks& sinks) {
  auto deadline = Clock::now() + delay;
  for (std::uint64_t done = 0; !options.iterations || done < *options.iterations;) {
    const watch::Wish wish = wait_until(deadline, sinks);
    if (wish.quit) {
      // Until it is interrupted is how long it runs, unless a number was given.
      return interrupted() && options.iterations ? ExitCode::interrupted : ExitCode::ok;
    }
    if (wish.delay) delay = *wish.delay;
    if (wish.delay) {
      deadline = Clock::now() + delay;
      continue;
    }
    const auto begun = wish.read_now ? Clock::now() : deadline;
    if (auto brought = bring(watch, agents, sinks); !brought) return fail(brought.error());
    ++done;
    deadline = next_deadline(begun, delay);
  }
  return ExitCode::ok;
}

// What would be ignored is refused.
Result<> check_together(const TopOptions& options) {
  const char* stream = options.json              ? "--json"
                       : options.csv             ? "--csv"
                       : !options.listen.empty() ? "--listen"
                       : !options.out.empty()    ? "--out"
                                                 : nullptr;
  if (stream == nullptr) return {};
  if (!options.filter.empty())
    return fail({fmt::format("cannot use --filter with {}", stream), "it has all guests",
                 "filter what reads it; --filter is of the screen and of -b"});
  if (!options.once.empty())
    return fail({fmt::format("cannot use --once with {}", stream), "it prints one number", ""});
  return {};
}

Result<ExitCode> top(const TopOptions& options) {
  if (auto together = check_together(options); !together) return fail(together.error());
  const auto delay = watch::parse_delay(options.delay);
  if (!delay) return fail(delay.error());
  const auto by = arrangement_of(options);
  if (!by) return fail(by.error());
  const auto agents = agents_of(options.agents);
  if (!agents) return fail(agents.error());
  watch::WatchOptions watched;
  watched.charge_by = watch::charge_named(options.charge).value_or(watch::ChargeBy::work);
  auto watch = watch::Watch::start(watched);
  if (!watch) return fail(watch.error());
  if (!options.once.empty()) return busy_so_far(*watch, options.once);
  Sinks sinks;
  if (!options.listen.empty()) {
    auto listening = listening_metrics(options.listen);
    if (!listening) return fail(listening.error());
    sinks.push_back(std::move(*listening));
  }
  if (!options.out.empty()) {
    auto recorded = recorded_readings(options.out, *delay);
    if (!recorded) return fail(recorded.error());
    sinks.push_back(std::move(*recorded));
  }
  if (options.batch || options.json || options.csv) {
    sinks.push_back(printed_readings(options.json ? "json" : options.csv ? "csv" : "table", *by));
  } else if (sinks.empty()) {
    auto screen = screen_of_readings(*by, *delay);
    if (!screen) return fail(screen.error());
    sinks.push_back(std::move(*screen));
  }
  return watch_and_bring(*watch, *agents, options, *delay, sinks);
}

Verb::Action add_top_options(CLI::App& app) {
  auto options = std::make_shared<TopOptions>();
  app.add_flag("-b,--batch", options->batch, "Print a table a reading; for pipes, files and small terminals");
  auto* json = app.add_flag("--json", options->json, "Print an object a reading, one a line: docs/top.md");
  app.add_flag("--csv", options->csv, "Print a row a guest and reading")->excludes(json);
  app.add_option("-d,--delay", options->delay, "Seconds between readings, a fraction too")
      ->capture_default_str();
  app.add_option("-i,--iterations", options->iterations, "End after so many readings; else by Ctrl-C")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  app.add_option("--charge", options->charge,
                 "How the driver's work is charged to guests: work, by thread, device and packet;\n"
                 "packets, by each guest's share of all packets")
      ->check(CLI::IsMember({"work", "packets"}))
      ->capture_default_str();
  app.add_option("--sort", options->sort, "The column to sort by; an unknown one lists them")
      ->capture_default_str();
  app.add_option("--filter", options->filter, "Show guests alone whose names hold this");
  app.add_option("--once", options->once,
                 "Print how long this guest was busy since it began, in seconds, and end");
  app.add_option("--listen", options->listen,
                 "Serve the readings, added up, to Prometheus: 127.0.0.1:9177, a port of loopback alone,\n"
                 "or an address that others reach. Prints nothing unless -b, --json or --csv is given")
      ->type_name("ADDRESS:PORT");
  app.add_option("-o,--out", options->out,
                 "Record the readings into this run file, for `vtax report` and `vtax compare`.\n"
                 "Prints nothing, likewise")
      ->type_name("FILE");
  add_guest_agents(app, options->agents);
  return [options] { return top(*options); };
}

}  // namespace

Verb top_verb() {
  return {"top", "Who pays on this computer, now: guests' own CPU time and what is done for them",
          "vtax top\n  vtax top -b -d 2\n  vtax top --json -i 60 > minute.ndjson\n  vtax top --once web1\n  "
          "vtax top --listen 127.0.0.1:9177\n  vtax top --out night.vtax -d 10 && vtax report night.vtax",
          add_top_options};
}

}  // namespace vtax
