#include "cli/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/own_builds.h"
#include "cli/progress_line.h"
#include "core/files.h"
#include "machine/host/host_run.h"
#include "machine/lab/lab_run.h"
#include "published/find_published.h"
#include "record/run_reader.h"
#include "record/run_writer.h"
#include "report/json.h"
#include "report/table.h"
#include "study/find_study.h"
#include "study/machine_rules.h"
#include "study/plan.h"

namespace vtax {
namespace {

struct RunOptions {
  std::string study;
  std::vector<std::string> set;
  std::string machine;
  std::optional<int> repetitions;
  std::string out;
  std::string vary;
  bool quick = false;
  bool resume = false;
  bool json = false;
  int jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  OwnBuilds own;
};

std::string facts_of_this_computer() {
  utsname name{};
  uname(&name);
  std::string processor;
  if (const auto cpuinfo = read_text("/proc/cpuinfo")) {
    const auto at = cpuinfo->find("model name");
    if (at != std::string::npos) {
      const auto begin = cpuinfo->find(": ", at) + 2;
      processor = cpuinfo->substr(begin, cpuinfo->find('\n', begin) - begin);
    }
  }
  const nlohmann::json facts = {{"kernel", name.release},
                                {"architecture", name.machine},
                                {"processor", processor},
                                {"cpus", std::thread::hardware_concurrency()}};
  return facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string describe(const Trial& trial) {
  std::string out;
  for (const char* key : {"platform", "topology", "workload", "direction", "write_bytes"})
    if (const auto factor = trial.factors.find(key); factor != trial.factors.end())
      out += (out.empty() ? "" : " ") + factor->second;
  if (const auto offloads = trial.factors.find("offloads"); offloads != trial.factors.end())
    out += " offloads " + offloads->second;
  if (const auto variation = trial.factors.find("variation"); variation != trial.factors.end())
    out += " variation " + variation->second;
  return out;
}

Result<Run> header_of(const Plan& plan, const RunOptions& options) {
  Run header;
  header.study = plan.study.name;
  header.question = plan.study.question;
  header.study_source = plan.study.source;
  nlohmann::json settings = effective_settings(plan.study);
  if (!options.vary.empty()) settings["vary"] = options.vary;
  if (options.quick) settings["quick"] = true;
  if (!options.own.kernel.empty()) settings["kernel"] = options.own.kernel;
  if (!options.own.modules.empty()) settings["modules"] = options.own.modules;
  if (!options.own.xen.empty()) settings["xen"] = options.own.xen;
  // Kept as text in the run file, so that a report needs nothing else (docs/design/published.md).
  if (!plan.study.published.empty()) {
    auto claims = find_published(plan.study.published);
    if (!claims) return fail(claims.error());
    settings["published"] = std::move(*claims);
  }
  header.settings = settings.dump();
  header.vtax_version = VTAX_VERSION;
  header.started_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  header.machine = facts_of_this_computer();
  header.planned_trials = plan.trials.size();
  return header;
}

Result<> show(const std::filesystem::path& file, bool json) {
  auto reader = RunReader::open(file);
  if (!reader) return fail(reader.error());
  return json ? write_json(*reader, std::cout) : write_table(*reader, std::cout);
}

Result<ExitCode> run(const RunOptions& options) {
  auto study = find_study(options.study);
  if (!study) return fail(study.error());
  Overrides overrides{options.set, options.repetitions, options.vary, options.quick};
  if (!options.machine.empty()) overrides.set.push_back("machine=" + options.machine);
  auto plan = make_plan(std::move(*study), overrides);
  if (!plan) return fail(plan.error());
  const std::filesystem::path out = options.out.empty() ? plan->study.name + ".vtax" : options.out;
  const auto header = header_of(*plan, options);
  if (!header) return fail(header.error());
  auto writer = options.resume ? RunWriter::resume(out, *header) : RunWriter::create(out, *header);
  if (!writer) return fail(writer.error());

  std::vector<Trial> todo;
  for (const PlannedTrial& planned : plan->trials) {
    if (writer->finished().contains(planned.index)) continue;
    Trial trial;
    trial.index = planned.index;
    trial.repetition = planned.repetition;
    trial.factors = planned.factors;
    todo.push_back(std::move(trial));
  }

  std::size_t failed = 0;
  std::size_t recorded = writer->finished().size();
  {
    ProgressLine progress(todo.size());
    if (todo.size() < plan->trials.size())
      progress.note(fmt::format("{} of {} trials are in {} already", plan->trials.size() - todo.size(),
                                plan->trials.size(), out.string()));
    lab::LabRunEvents events;
    events.on_step = [&](const std::string& step) { progress.step(step); };
    events.on_start = [&](const Trial& trial) { progress.step(describe(trial)); };
    events.on_finished = [&](const Trial& trial) -> Result<> {
      if (!trial.error.empty()) {
        ++failed;
        progress.note(fmt::format("failed: {}\n  {}", describe(trial), trial.error));
      }
      progress.finished(describe(trial));
      const auto kept = writer->append(trial);
      if (kept) ++recorded;
      return kept;
    };
    const bool on_host = plan->study.machine == host_machine;
    const lab::LabRunOptions lab_options{options.own.sources(), options.jobs};
    auto done =
        on_host ? host::run_on_host(std::move(todo), {events.on_step, events.on_start, events.on_finished})
                : lab::run_in_lab(std::move(todo), lab_options, events);
    if (!done) {
      writer->close();
      // An empty run file would only stand in the way of the next attempt.
      std::error_code ignored;
      if (!options.resume && recorded == 0) std::filesystem::remove(out, ignored);
      return fail(done.error());
    }
  }
  writer->close();
  if (auto shown = show(out, options.json); !shown) return fail(shown.error());
  if (!options.json)
    std::cout << fmt::format("\nRun file: {}   (`vtax report {} --format html -o page.html`)\n", out.string(),
                             out.string());
  return failed == 0 ? ExitCode::ok : ExitCode::trial_failed;
}

Verb::Action add_run_options(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  app.add_option("STUDY", options->study, "A study file, or the name of one that comes with vtax")
      ->required();
  app.add_option("--set", options->set, "factor=value[,value]: replace a factor's values")
      ->type_name("FACTOR=VALUES");
  app.add_option("--machine", options->machine,
                 "lab: the emulated machine; host: this computer itself (default: the study's)");
  app.add_option("--reps", options->repetitions, "Repetitions of every cell");
  app.add_option(
         "--vary", options->vary,
         "Run everything on perturbed machines too, N of each kind (3): how much of the exact counts is an\n"
         "accident of where things lie in memory, of hash seeds, of when timers tick")
      ->type_name("layout,seed,timer[:N]");
  app.add_flag(
      "--quick", options->quick,
      "An eighth of each trial's bytes and transactions, and no repetitions: a first look in minutes");
  app.add_option("--out", options->out, "The run file to write (default: the study's name, .vtax)");
  app.add_flag("--resume", options->resume, "Go on with a run file that has only some of its trials");
  app.add_flag("--json", options->json, "Print the result as JSON (docs/report-schema.md)");
  app.add_option("--jobs", options->jobs, "Machines at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  add_own_builds(app, options->own);
  return [options] { return run(*options); };
}

}  // namespace

Verb run_verb() {
  return {
      "run", "Run a study and print its result",
      "vtax run first-look\n"
      "  vtax run first-look --set platform=xen-pv --set offloads=off --out mine.vtax\n"
      "  vtax run first-look --xen ./xen.gz --out patched.vtax && vtax compare first-look.vtax patched.vtax",
      add_run_options};
}

}  // namespace vtax
