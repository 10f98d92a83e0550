#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "workload/measure/outcome.h"

namespace vtax {

// The options that every `vtax workload NAME` has, and what they mean.
struct MeasureOptions {
  RepeatPolicy policy;
  std::string format = "text";        // or one of the formats that the workload was given
  std::string output;                 // empty: standard output
  bool shows_intervals = false;       // the work's lines come as it goes, and say enough of its progress
  bool ends_by_interruption = false;  // a server's way to end: nothing is missing then
};

// `formats`: besides text and json.
[[nodiscard]] std::shared_ptr<MeasureOptions> add_measure_options(
    CLI::App& app, const std::vector<std::string>& formats = {});

// Somebody sees what is printed while the work goes on.
[[nodiscard]] bool is_watched(const MeasureOptions& options);

// What --interval says; not given: a second, or longer where there would be too many, for who watches, and
// none (0) for others.
[[nodiscard]] Result<std::chrono::nanoseconds> interval_of(const MeasureOptions& options,
                                                           const std::string& given,
                                                           std::chrono::nanoseconds duration);

// Prints each interval's line as it is told, for who watches; empty where nobody does. Sets shows_intervals.
[[nodiscard]] std::function<void(const IntervalReport&)> printed_intervals(MeasureOptions& options,
                                                                           std::chrono::nanoseconds interval);

using Once = std::function<Result<Repeat>()>;

// Repeats `once` as the options ask, with progress on standard error, warns where the interval stayed wide,
// and writes the outcome (atomically, when into a file). `other_format` turns it into a format of the
// workload's own. The outcome's repeats, summary and warnings are filled in here; warnings that are there
// stay. An interruption leaves what was measured by then, and its exit code. Where it fails, readers of JSON
// get an object with `error` on standard output (`other_error` in the workload's own format).
[[nodiscard]] Result<ExitCode> measure(const MeasureOptions& options, Outcome outcome, const Once& once,
                                       const std::function<std::string(const Outcome&)>& other_format = {},
                                       const std::function<void(Outcome&)>& judge = {},
                                       const std::function<std::string(const Error&)>& other_error = {});

// CLI11 reads "64K", "8 MiB", "1448" into bytes: K, M, G and KiB, MiB, GiB are powers of 1024.
[[nodiscard]] CLI::Validator sizes();
// "941M" and "10G" into bit/s: powers of 1000 here, as link rates are.
[[nodiscard]] CLI::Validator bit_rates();
// "10s", "250ms", "1.5" (seconds) into seconds.
[[nodiscard]] Result<std::chrono::nanoseconds> duration_of(std::string_view option, const std::string& text);

}  // namespace vtax
