#include "cli/measure_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <sstream>

#include "cli/progress_line.h"
#include "cli/time_left.h"
#include "core/duration.h"
#include "core/files.h"
#include "core/interruption.h"
#include "core/readable.h"
#include "core/size_text.h"
#include "workload/traffic/order.h"

namespace vtax {
namespace {

// "5" or "3,30".
std::string read_repeats(const std::string& text, RepeatPolicy& policy) {
  const auto comma = text.find(',');
  const auto number = [](std::string_view part, int& into) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), into);
    return error == std::errc() && end == part.data() + part.size();
  };
  const std::string_view view = text;
  const bool good = comma == std::string::npos ? number(view, policy.least)
                                               : number(view.substr(0, comma), policy.least) &&
                                                     number(view.substr(comma + 1), policy.most);
  if (!good) return "write --repeat 5, or --repeat 3,30 for 3 to 30";
  if (comma == std::string::npos) policy.most = policy.least;
  return "";
}

std::string line_of(const Repeat& repeat) {
  const Metric& metric = repeat.at(0).metrics.at(0);
  return fmt::format("{} {}", metric.name, readable_metric(metric.value, metric.unit));
}

// All that is not ASCII is escaped: a terminal may be what shows it.
std::string json_text(const Outcome& outcome) {
  return outcome.to_json().dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string written(const MeasureOptions& options, const Outcome& outcome,
                    const std::function<std::string(const Outcome&)>& other_format) {
  if (options.format == "json") return json_text(outcome);
  if (options.format != "text" && other_format) return other_format(outcome);
  std::ostringstream text;
  write_text(outcome, text);
  return printable_lines(text.str());
}

// Standard output only: a file that is there keeps what it has.
tl::unexpected<Error> failure(const MeasureOptions& options, Outcome outcome, Error error,
                              const std::function<std::string(const Error&)>& other_error) {
  if (error.code == ExitCode::interrupted)
    error = {"interrupted", "before anything was measured", "", error.code};
  if (options.output.empty()) {
    outcome.error = error;
    outcome.interrupted = error.code == ExitCode::interrupted;
    if (options.format == "json") std::cout << json_text(outcome) << std::flush;
    if (options.format != "json" && options.format != "text" && other_error)
      std::cout << other_error(error) << std::flush;
  }
  return fail(std::move(error));
}

std::string interruption_note(const MeasureOptions& options, std::size_t repeats) {
  if (options.policy.most == 1) return "Interrupted: the figures are of what was done by then.";
  return fmt::format("Interrupted after {} repeats of {}: the figures are of those.", repeats,
                     options.policy.least == options.policy.most
                         ? std::to_string(options.policy.most)
                         : fmt::format("{} to {}", options.policy.least, options.policy.most));
}

}  // namespace

std::shared_ptr<MeasureOptions> add_measure_options(CLI::App& app, const std::vector<std::string>& formats) {
  auto options = std::make_shared<MeasureOptions>();
  app.add_option_function<std::string>(
         "--repeat",
         [options](const std::string& text) {
           if (const std::string wrong = read_repeats(text, options->policy); !wrong.empty())
             throw CLI::ValidationError("--repeat", wrong);
         },
         "How often: N, or LEAST,MOST until the confidence interval is tight")
      ->default_str("1");
  app.add_option("--confidence", options->policy.confidence, "Of the interval")->capture_default_str();
  app.add_option("--half-width", options->policy.half_width, "Tight is within +- this part of the mean")
      ->capture_default_str();
  std::vector<std::string> all{"text", "json"};
  all.insert(all.end(), formats.begin(), formats.end());
  app.add_option("--format", options->format, "What to print")
      ->check(CLI::IsMember(all))
      ->capture_default_str();
  app.add_option("-o,--out,--output", options->output, "Into this file");
  return options;
}

bool is_watched(const MeasureOptions& options) {
  return options.format == "text" && options.output.empty() && options.policy.most == 1;
}

Result<std::chrono::nanoseconds> interval_of(const MeasureOptions& options, const std::string& given,
                                             std::chrono::nanoseconds duration) {
  if (!given.empty()) return duration_of("--interval", given);
  if (!is_watched(options)) return std::chrono::nanoseconds(0);
  return std::max<std::chrono::nanoseconds>(std::chrono::seconds(1),
                                            duration / Order::kMostIntervals + std::chrono::nanoseconds(1));
}

std::function<void(const IntervalReport&)> printed_intervals(MeasureOptions& options,
                                                             std::chrono::nanoseconds interval) {
  options.shows_intervals = is_watched(options) && interval.count() != 0;
  if (!options.shows_intervals) return {};
  return [](const IntervalReport& one) {
    if (const std::string line = interval_line(one); !line.empty()) std::cout << line << std::endl;
  };
}

Result<ExitCode> measure(const MeasureOptions& options, Outcome outcome, const Once& once,
                         const std::function<std::string(const Outcome&)>& other_format,
                         const std::function<void(Outcome&)>& judge,
                         const std::function<std::string(const Error&)>& other_error) {
  if (Result<> good = options.policy.check(); !good) return fail(good.error());
  {
    const std::size_t most = options.policy.most > 1 ? static_cast<std::size_t>(options.policy.most) : 0;
    ProgressLine progress(most);
    if (!options.shows_intervals) progress.step("measuring " + outcome.workload);
    TimeLeft time(1);
    for (std::size_t i = 0; i < most; ++i) time.plan("");
    time.start(0, TimeLeft::Clock::now());
    auto repeats = repeat(options.policy, once, [&](const Repeat& one) {
      if (most == 0) return;
      time.finish(0, "", TimeLeft::Clock::now());
      time.start(0, TimeLeft::Clock::now());
      progress.left(left_text(time.estimate()));
      progress.finished(line_of(one));
    });
    if (!repeats) return failure(options, std::move(outcome), repeats.error(), other_error);
    outcome.repeats = std::move(*repeats);
  }
  outcome.intervals_shown = options.shows_intervals;
  outcome.interrupted = interrupted() && !options.ends_by_interruption;
  if (outcome.interrupted) outcome.warnings.push_back(interruption_note(options, outcome.repeats.size()));
  outcome.summary = summarise(options.policy, outcome.repeats);
  const Summary& summary = outcome.summary;
  if (options.policy.most > 1 && !summary.tight && summary.interval) {
    const double width = (summary.interval->high - summary.mean) / summary.mean;
    outcome.warnings.push_back(
        fmt::format("The {} % confidence interval of {} is +- {:.1f} % of the mean after {} repeats, wider "
                    "than the {:.1f} % asked "
                    "for: do not rely on this figure; repeat it more often or on a quieter machine.",
                    readable(100 * summary.confidence), summary.metric, 100 * width, summary.values.size(),
                    100 * summary.asked_half_width));
  }
  if (judge) judge(outcome);
  const ExitCode code = outcome.interrupted ? ExitCode::interrupted : ExitCode::ok;
  const std::string text = written(options, outcome, other_format);
  if (options.output.empty()) {
    std::cout << text << std::flush;
    if (options.format != "text")
      for (const std::string& warning : outcome.warnings)
        std::cerr << "vtax: warning: " << printable_lines(warning) << '\n';
    return code;
  }
  if (Result<> kept = write_text(options.output, text); !kept) return fail(kept.error());
  for (const std::string& warning : outcome.warnings)
    std::cerr << "vtax: warning: " << printable_lines(warning) << '\n';
  return code;
}

CLI::Validator sizes() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const ParsedSize size = parse_size(text);
        if (size.fault == ParsedSize::Fault::too_much)
          return fmt::format("'{}' is too much", printable(text));
        if (size.fault != ParsedSize::Fault::none)
          return fmt::format("'{}' is no size: 1448, 64K, 8 MiB", printable(text));
        text = std::to_string(size.bytes);
        return "";
      },
      "SIZE");
}

CLI::Validator bit_rates() {
  return CLI::AsNumberWithUnit(
      std::map<std::string, std::uint64_t>{{"k", 1'000}, {"M", 1'000'000}, {"G", 1'000'000'000}},
      CLI::AsNumberWithUnit::CASE_SENSITIVE, "RATE (bit/s; k, M, G)");
}

Result<std::chrono::nanoseconds> duration_of(std::string_view option, const std::string& text) {
  constexpr double kDay = 86'400;
  const auto duration = parse_duration(text);
  if (!duration || duration->count() > kDay)
    return fail({fmt::format("'{}' is no duration for {}", printable(text), option), "",
                 "for example 10s, 250ms, 2min or 1h"});
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(duration->count() * 1e9)));
}

}  // namespace vtax
