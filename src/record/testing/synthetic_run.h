#pragma once

#include <map>
#include <string>

#include "record/trial.h"

// Runs for tests of what stands behind the run file. Their numbers are made up by a small formula: they look
// like a lab's and balance like a lab's, and are nobody's measurement.
namespace vtax {

// One trial of these factors (all of a study's factors, "platform" and "workload" among them).
[[nodiscard]] Trial synthetic_trial(std::uint64_t index, std::map<std::string, std::string> factors);

// The shape of studies/first-look.toml: 3 platforms, 60 trials, all ended.
[[nodiscard]] Run synthetic_run();

// A trial of a cell of its own for each index, all of synthetic_run()'s kinds, with as many events and
// readings of CPUs and latencies as one of the lab has.
[[nodiscard]] Trial synthetic_cell(std::uint64_t index);

// Gives a trial its window by the lab's clock: CPUs busy for domains, two guests that waited.
void add_measured(Trial& trial);

// Everything but the trials.
[[nodiscard]] Run synthetic_header();

// What was executed for nobody knows whom, on an unknown CPU.
void add_uncharged(Trial& trial, Instructions some);

// Marks the trial as failed.
void make_failed(Trial& trial, const std::string& error);

// Makes it a compile's: costs of billions, no network device, no packets.
void make_compile(Trial& trial);

// Makes it one of a real host: half a nanosecond of CPU time an instruction, no events, no profile.
void make_host(Trial& trial);

// To a trial of a real host: 3 cycles and 4 instructions a nanosecond in every layer, of 93 % of
// the time, with a note.
void add_hardware_counters(Trial& trial, const std::string& note);

// Multiplies one function's cost (and with it its layer and the total) by `factor`.
void scale_function(Trial& trial, const std::string& function, double factor);

}  // namespace vtax
