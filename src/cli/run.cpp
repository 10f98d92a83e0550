#include "cli/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/begun_run.h"
#include "cli/calibration.h"
#include "cli/dry_run.h"
#include "cli/machines.h"
#include "cli/progress_line.h"
#include "cli/run_engine.h"
#include "cli/run_options.h"
#include "cli/run_place.h"
#include "cli/run_trials.h"
#include "cli/say.h"
#include "cli/terminal_columns.h"
#include "core/files.h"
#include "core/readable.h"
#include "core/sha256.h"
#include "core/shell_word.h"
#include "core/text_table.h"
#include "machine/computer.h"
#include "published/find_published.h"
#include "record/run_header.h"
#include "record/run_reader.h"
#include "record/run_writer.h"
#include "report/json.h"
#include "report/table.h"
#include "study/find_study.h"
#include "study/machine_rules.h"
#include "study/plan.h"
#include "study/plan_shards.h"

namespace vtax {
namespace {

// This computer, with which computer it is, by a hash: two of one kind are still two. Its kernel's updates
// leave it.
std::string named_computer() {
  utsname name{};
  uname(&name);
  auto facts = nlohmann::json::parse(facts_of_this_computer());
  facts["computer"] =
      sha256_hex(read_text("/etc/machine-id").value_or("") + std::string(name.nodename)).substr(0, 16);
  return facts.dump();
}

Result<Run> header_of(const Plan& plan, const RunOptions& options) {
  Run header;
  header.study = plan.study.name;
  header.question = plan.study.question;
  header.study_source = plan.study.source;
  nlohmann::json settings = effective_settings(plan);
  if (!options.vary.empty()) settings["vary"] = options.vary;
  if (options.quick) settings["quick"] = true;
  if (!options.shard.empty()) settings[kShard] = options.shard;
  if (!options.own.kernel.empty()) settings["kernel"] = options.own.kernel;
  if (!options.own.modules.empty()) settings["modules"] = options.own.modules;
  if (!options.own.xen.empty()) settings["xen"] = options.own.xen;
  // Kept as text in the run file, so that a report needs nothing else (docs/design/published.md).
  if (!plan.study.published.empty()) {
    auto claims = find_published(plan.study.published);
    if (!claims) return fail(claims.error());
    settings["published"] = std::move(*claims);
  }
  settings[kAskedFor] = asked_for(options);
  header.settings = settings.dump();
  header.vtax_version = VTAX_VERSION;
  header.started_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  header.machine = named_computer();
  header.planned_trials = plan.trials.size();
  return header;
}

Result<> show(const std::filesystem::path& file, bool json) {
  set_page_columns(std::cout, terminal_columns());
  auto reader = RunReader::open(file);
  if (!reader) return fail(reader.error());
  return json ? write_json(*reader, std::cout) : write_table(*reader, std::cout, TableDetail::first);
}

std::vector<Trial> trials_to_run(const Plan& plan) {
  std::vector<Trial> trials;
  for (const PlannedTrial& planned : plan.trials) {
    Trial trial;
    trial.index = planned.index;
    trial.repetition = planned.repetition;
    trial.factors = planned.factors;
    trials.push_back(std::move(trial));
  }
  return trials;
}

// The study's speed, where it gives one and nobody has said another.
Result<> set_speed_of_lab(Study& study, const Plan& plan, const RunOptions& options) {
  const auto sets = [&](std::string_view factor) {
    return std::any_of(options.set.begin(), options.set.end(),
                       [&](const std::string& set) { return set.starts_with(std::string(factor) + "="); });
  };
  if (plan.study.machine == kHostMachine || sets("cpu_mips")) return {};
  const auto lab = make_machine(plan.study.machine, options.own, 1);
  if (!lab) return fail(lab.error());
  if (auto good = (*lab)->check(trials_to_run(plan)); !good) return good;
  ProgressLine progress(0);
  return set_speed(study, **lab, [&](const std::string& step) { progress.step(step); });
}

// The places in the plan that are this process's: of --shard its share.
Result<std::set<std::uint64_t>> places_of(const Plan& plan, const RunOptions& options) {
  if (options.shard.empty()) return trials_of(plan, Shard());
  const auto shard = parse_shard(options.shard);
  return shard ? trials_of(plan, *shard) : fail(shard.error());
}

std::filesystem::path run_file_of(const RunOptions& options, const std::string& study) {
  if (!options.out.empty()) return options.out;
  if (const auto shard = parse_shard(options.shard)) return shard_file(study, *shard);
  return options.resume ? last_run_file("", study) : free_run_file("", study);
}

// The same for every task of a cluster, wherever it starts.
SharedRun shared_run(const RunOptions& options, const Plan& plan, const std::filesystem::path& out) {
  SharedRun shared{{}, out, options.jobs.value_or(1), options.resume};
  std::vector<std::string>& words = shared.arguments;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    words.emplace_back(name);
    words.push_back(value);
  };
  const auto add_file = [&](const char* name, const std::string& file) {
    if (!file.empty()) add(name, std::filesystem::absolute(file).lexically_normal().string());
  };
  for (const std::string& set : options.set) add("--set", set);
  // Found out here, once: no task has to. What one workload names for itself --set would change, too.
  const bool is_plain =
      std::all_of(plan.study.workloads.begin(), plan.study.workloads.end(), [](const auto& workload) {
        return !workload.common.contains("cpu_mips") && !workload.common.contains("link_mbps");
      });
  if (plan.study.speed && is_plain)
    for (const char* factor : {"cpu_mips", "link_mbps"})
      add("--set", fmt::format("{}={}", factor, fmt::join(plan.study.factors.at(factor), ",")));
  add("--machine", options.machine);
  if (options.repetitions) add("--reps", std::to_string(*options.repetitions));
  add("--vary", options.vary);
  if (options.quick) words.emplace_back("--quick");
  add_file("--kernel", options.own.kernel);
  add_file("--modules", options.own.modules);
  add_file("--xen", options.own.xen);
  return shared;
}

Result<ExitCode> shown_sweep(const Result<ExitCode>& done, const std::filesystem::path& out, bool json) {
  if (!done) return done;
  if (auto shown = show(out, json); !shown) return fail(shown.error());
  if (!json) say("\nRun file: {}\n", out.string());
  return done;
}

// The plan, on a lab whose speed is the study's where that gives one.
Result<Plan> plan_of(RunOptions& options) {
  auto study = is_run_file(options) ? take_from_run_file(options) : find_study(options.study);
  if (!study) return fail(study.error());
  options.own.stacks = study->stacks;
  const Overrides overrides{options.set, options.repetitions, options.vary, options.quick, options.machine};
  auto plan = make_plan(*study, overrides);
  if (!plan || !study->speed || options.dry_run) return plan;
  if (!options.resume || !take_speed(*study, options, run_file_of(options, study->name)))
    if (auto set = set_speed_of_lab(*study, *plan, options); !set) return fail(set.error());
  return make_plan(std::move(*study), overrides);
}

// What is said before the first trial; of `own` ones of this process `left` have still to run.
Result<std::vector<std::string>> notes_of(const Plan& plan, const RunOptions& options,
                                          const std::filesystem::path& out, std::size_t own,
                                          const std::set<std::uint64_t>& places_left) {
  const std::size_t left = places_left.size();
  std::vector<std::string> notes = plan.notes;
  for (std::string& doubt : doubts_of_host(plan)) notes.push_back(std::move(doubt));
  const std::string usual = file_name_of(plan.study.name) + ".vtax";
  if (options.out.empty() && options.shard.empty() && out != usual)
    notes.push_back(options.resume
                        ? fmt::format("going on with {}, the last run of this study here", out.string())
                        : fmt::format("{} is there already: this run goes into {}", usual, out.string()));
  if (left < own)
    notes.push_back(fmt::format("{} of {} trials are in {} already", own - left, own, out.string()));
  if (left > 0) {
    const auto time = expected_time(plan, places_left, jobs_of(options));
    if (!time) return fail(time.error());
    notes.push_back(fmt::format("{} trial{}, {} of each cell: {}", with_thousands(left), left == 1 ? "" : "s",
                                repetitions_of(plan.study), *time));
  }
  return notes;
}

// Runs what is not in the file yet. What all of the plan is made from is what a share is made from, so that
// shares can be told to belong together.
Result<> fill(RunWriter& writer, const Plan& plan, const std::set<std::uint64_t>& places, Machine& machine,
              const RunOptions& options, const std::filesystem::path& out, TrialsKept& kept) {
  std::vector<Trial> trials = trials_to_run(plan);
  const auto identity = [&] {
    ProgressLine progress(0);
    return machine.identify(trials, [&](const std::string& step) { progress.step(step); });
  }();
  if (!identity) return fail(identity.error());
  if (auto same = writer.be_made_from(*identity); !same) return same;
  std::erase_if(trials, [&](const Trial& trial) {
    return !places.contains(trial.index) || writer.finished().contains(trial.index);
  });
  std::set<std::uint64_t> left;
  for (const Trial& trial : trials) left.insert(trial.index);
  const auto notes = notes_of(plan, options, out, places.size(), left);
  if (!notes) return fail(notes.error());
  return run_trials(std::move(trials), plan, machine, *notes, writer, kept);
}

// Nobody else writes to the file meanwhile.
Result<TrialsKept> write_trials(const Plan& plan, const std::set<std::uint64_t>& places, Machine& machine,
                                const RunOptions& options, const Run& header,
                                const std::filesystem::path& out) {
  std::error_code ignored;
  const bool was_there = std::filesystem::exists(out, ignored);
  auto writer = options.resume ? RunWriter::resume(out, header) : RunWriter::create(out, header);
  if (!writer) return fail(writer.error());
  TrialsKept kept{writer->finished().size()};
  const auto filled = fill(*writer, plan, places, machine, options, out, kept);
  writer->close();
  if (filled) return kept;
  // An empty run file would only stand in the way of the next attempt.
  if (!was_there && kept.all == 0) std::filesystem::remove(out, ignored);
  return fail(filled.error());
}

// The engine's options are the engine's, and it shares the study out by itself.
Result<> check_engine(const RunOptions& options) {
  const EngineOptions& engine = options.engine;
  if (engine.engine.empty() && (engine.tasks != 0 || !engine.partition.empty() || !engine.options.empty()))
    return fail({"cannot use --tasks, --partition or --option without --engine",
                 "they are of a cluster's job array", "add --engine slurm, or leave them out"});
  if (!engine.engine.empty() && !options.shard.empty())
    return fail({"cannot use --shard with --engine", "each task runs a share already",
                 "leave one of the two out; --tasks says how many shares there are"});
  return {};
}

// What a run that ends early leaves, and how to go on with it.
Error with_way_on(Error error, const std::filesystem::path& out) {
  std::error_code ignored;
  if ((error.code != ExitCode::interrupted && error.code != ExitCode::io) ||
      !std::filesystem::exists(out, ignored))
    return error;
  if (!error.next.empty()) error.next += "\n  ";
  error.next += fmt::format("finished trials are kept; `vtax run --resume {}` goes on", shell_word_of(out));
  return error;
}

Result<ExitCode> run(RunOptions options) {
  if (auto good = check_engine(options); !good) return fail(good.error());
  if (options.resume && is_sweep_folder(options.study)) {
    std::filesystem::path out;
    const auto done = go_on_with_sweep(options.study, out);
    return shown_sweep(done, out, options.json);
  }
  const auto plan = plan_of(options);
  if (!plan) return fail(plan.error());
  const auto places = places_of(*plan, options);
  if (!places) return fail(places.error());
  const auto machine = make_machine(plan->study.machine, options.own, jobs_of(options));
  if (!machine) return fail(machine.error());
  if (auto good = (*machine)->check(trials_to_run(*plan)); !good) return fail(good.error());
  if (options.dry_run) {
    if (auto said = say_what_would_run(*plan, *places, jobs_of(options)); !said) return fail(said.error());
    return ExitCode::ok;
  }
  const auto header = header_of(*plan, options);
  if (!header) return fail(header.error());
  const std::filesystem::path out = run_file_of(options, header->study);
  if (!options.engine.engine.empty())
    return shown_sweep(run_on_engine(*plan, options.engine, shared_run(options, *plan, out)), out,
                       options.json);
  const auto kept = write_trials(*plan, *places, **machine, options, *header, out);
  if (!kept) return fail(with_way_on(kept.error(), out));
  if (auto shown = show(out, options.json); !shown) return fail(shown.error());
  if (!options.json)
    say("\nRun file: {}   (`vtax report {} --format html -o page.html`)\n", out.string(), shell_word_of(out));
  return kept->failed == 0 ? ExitCode::ok : ExitCode::trial_failed;
}

Verb::Action add_run_options(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  app.add_option("STUDY", options->study,
                 "A study file, or the name of one that comes with vtax; with --resume a run file")
      ->required();
  app.add_option("--set", options->set, "factor=value[,value]: replace a factor's values")
      ->type_name("FACTOR=VALUES");
  app.add_option("--machine", options->machine,
                 "lab: the emulated machine; host: this computer itself (default: the study's)");
  app.add_option(
      "--reps", options->repetitions,
      "Repetitions of every cell (default: the study's; else 5, on the host as ten minutes allow)");
  app.add_option(
         "--vary", options->vary,
         "Run everything on perturbed machines too, N of each kind (3): how much of the exact counts is an\n"
         "accident of where things lie in memory, of hash seeds, of when timers tick")
      ->type_name("layout,seed,timer[:N]");
  app.add_flag(
      "--quick", options->quick,
      "An eighth of each trial's bytes and transactions, and no repetitions: a first look in minutes");
  app.add_option(
      "-o,--out", options->out,
      "The run file to write (default: the study's name, .vtax; first-look-2.vtax where that is there)");
  app.add_option("--shard", options->shard,
                 "Run the k-th of K shares of the study, from 0/K on, as other processes run the others;\n"
                 "`vtax merge` makes one run of their files (docs/clusters.md)")
      ->type_name("k/K");
  app.add_flag("--resume", options->resume,
               "Go on with a run file that has only some of its trials: vtax run --resume FILE.vtax");
  app.add_flag(
      "--dry-run", options->dry_run,
      "Say how many trials, what is left out and why, what must boot or be fetched, and about how long");
  app.add_flag("--json", options->json, "Print the result as JSON (docs/report-schema.md)");
  app.add_option("--jobs", options->jobs, "Machines at once (default: one a CPU)")->check(CLI::Range(1, 256));
  add_engine_options(app, options->engine);
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
