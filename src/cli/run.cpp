#include "cli/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "cli/calibration.h"
#include "cli/dry_run.h"
#include "cli/own_builds.h"
#include "cli/progress_line.h"
#include "cli/run_engine.h"
#include "cli/run_place.h"
#include "cli/say.h"
#include "cli/time_left.h"
#include "core/files.h"
#include "core/sha256.h"
#include "machine/host/host_run.h"
#include "machine/lab/lab_machine.h"
#include "machine/lab/lab_run.h"
#include "published/find_published.h"
#include "record/run_header.h"
#include "record/run_reader.h"
#include "record/run_writer.h"
#include "report/cell.h"
#include "report/json.h"
#include "report/phrase.h"
#include "report/table.h"
#include "study/find_study.h"
#include "study/machine_rules.h"
#include "study/meaning.h"
#include "study/plan.h"
#include "study/plan_shards.h"

namespace vtax {
namespace {

struct RunOptions {
  std::string study;
  std::vector<std::string> set;
  std::string machine;
  std::optional<int> repetitions;
  std::string out;
  std::string vary;
  std::string shard;
  bool quick = false;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
  std::optional<int> jobs;  // machines at once: one a CPU, of a cluster's task one
  EngineOptions engine;
  OwnBuilds own;
};

int jobs_of(const RunOptions& options) {
  return options.jobs.value_or(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

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
                                {"kernel_build", name.version},
                                {"architecture", name.machine},
                                {"processor", processor},
                                {"cpus", std::thread::hardware_concurrency()}};
  return facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The same with which computer it is, by a hash: two of one kind are still two. Its kernel's updates leave
// it.
std::string named_computer() {
  utsname name{};
  uname(&name);
  auto facts = nlohmann::json::parse(facts_of_this_computer());
  facts["computer"] =
      sha256_hex(read_text("/etc/machine-id").value_or("") + std::string(name.nodename)).substr(0, 16);
  return facts.dump();
}

// Names a run's trials by what varies in their study.
class TrialNames {
 public:
  explicit TrialNames(const Plan& plan) : repeats_(plan.study.repetitions > 1) {
    for (const PlannedTrial& trial : plan.trials) {
      Factors factors = trial.factors;
      factors.erase(kVariation);
      varying_.add(factors);
    }
  }

  [[nodiscard]] std::string of(const Trial& trial) const {
    std::string name = trial_name(trial.factors, varying_.of(trial.factors.at("workload")));
    return repeats_ ? fmt::format("{}, run {}", name, trial.repetition) : name;
  }

 private:
  bool repeats_;
  VaryingFactors varying_;
};

std::string kind_of(const Trial& trial) {
  return trial.factors.at("platform") + " " + trial.factors.at("workload");
}

// The user's own builds are for the lab, and a Xen is for platforms that have one.
Result<> check_own_builds(const Plan& plan, const OwnBuilds& own) {
  const char* option = !own.xen.empty()       ? "--xen"
                       : !own.kernel.empty()  ? "--kernel"
                       : !own.modules.empty() ? "--modules"
                                              : nullptr;
  if (option == nullptr) return {};
  if (plan.study.machine == host_machine)
    return fail({fmt::format("cannot use {} on machine host", option),
                 "what runs there is this computer's own kernel",
                 "leave it out, or run the study in the lab"});
  const bool any_has_xen = std::any_of(plan.trials.begin(), plan.trials.end(), [](const PlannedTrial& trial) {
    return has_xen(platform_of(trial.factors).id);
  });
  if (!own.xen.empty() && !any_has_xen)
    return fail(
        {"cannot use --xen", "no platform of this run has Xen", "for example --set platform=native,xen-pv"});
  std::set<PlatformId> kinds;
  for (const PlannedTrial& trial : plan.trials) kinds.insert(platform_of(trial.factors).lab_machine);
  return lab::check_sources(kinds, own.sources());
}

// What `--resume FILE` needs besides what the settings come to.
nlohmann::json asked_for(const RunOptions& options) {
  nlohmann::json asked = {{"set", options.set}, {"machine", options.machine}};
  if (options.repetitions) asked["repetitions"] = *options.repetitions;
  return asked;
}

bool is_run_file(const RunOptions& options) {
  return options.resume && std::string_view(options.study).ends_with(".vtax");
}

// The study and the command line that the run file was begun with.
Result<Study> take_from_run_file(RunOptions& options) {
  const Error error{fmt::format("cannot go on with {}", printable(options.study, 200)), "", "",
                    ExitCode::usage};
  const bool is_alone = options.set.empty() && options.machine.empty() && !options.repetitions &&
                        options.out.empty() && options.vary.empty() && options.shard.empty() &&
                        !options.quick && options.own.kernel.empty() && options.own.modules.empty() &&
                        options.own.xen.empty();
  if (!is_alone)
    return fail({error.what, "a run file has settings of its own",
                 "leave the other options out but --jobs and --json, or name the study", error.code});
  auto reader = RunReader::open(options.study);
  if (!reader) return fail(reader.error());
  const Run& header = reader->header();
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  const auto asked = settings.is_object() ? settings.value(kAskedFor, nlohmann::json()) : nlohmann::json();
  if (!asked.is_object())
    return fail({error.what, "it does not say how it was begun: an older vtax began it",
                 "give the study and the same options as then, with --resume", error.code});
  const auto text = [](const nlohmann::json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const nlohmann::json& one : asked.value("set", nlohmann::json::array()))
    if (one.is_string()) options.set.push_back(one.get<std::string>());
  options.machine = text(asked, "machine");
  const auto repetitions = asked.find("repetitions");
  if (repetitions != asked.end() && repetitions->is_number_integer())
    options.repetitions = repetitions->get<int>();
  options.vary = text(settings, "vary");
  options.shard = text(settings, kShard);
  options.quick = settings.value("quick", nlohmann::json()) == nlohmann::json(true);
  options.own = {text(settings, "kernel"), text(settings, "modules"), text(settings, "xen")};
  options.out = options.study;
  return parse_study(header.study_source, header.study);
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
  auto reader = RunReader::open(file);
  if (!reader) return fail(reader.error());
  return json ? write_json(*reader, std::cout) : write_table(*reader, std::cout);
}

Result<> set_speed_of_lab(Study& study, const RunOptions& options) {
  const auto sets = [&](std::string_view factor) {
    return std::any_of(options.set.begin(), options.set.end(),
                       [&](const std::string& set) { return set.starts_with(std::string(factor) + "="); });
  };
  const std::string& machine = options.machine.empty() ? study.machine : options.machine;
  if (machine == host_machine || sets("machine") || sets("cpu_mips")) return {};
  ProgressLine progress(0);
  return set_speed(study, {options.own.sources(), 1}, [&](const std::string& step) { progress.step(step); });
}

// What these trials are made from, by content: a JSON object for RunWriter::be_made_from(). In the lab the
// images are from now on those of `lab_options`.
Result<std::string> identify(const std::vector<Trial>& trials, bool on_host,
                             lab::LabRunOptions& lab_options) {
  ProgressLine progress(0);
  if (on_host) {
    auto parts = host::identify_host(trials, [&](const std::string& step) { progress.step(step); });
    if (!parts) return fail(parts.error());
    auto all = nlohmann::json::parse(*parts);
    all["computer"] = nlohmann::json::parse(facts_of_this_computer());
    return all.dump();
  }
  auto identity = lab::identify_lab(trials, lab_options.sources,
                                    [&](std::string_view step) { progress.step(std::string(step)); });
  if (!identity) return fail(identity.error());
  lab_options.images = std::move(identity->images);
  return std::move(identity->json);
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

Result<ExitCode> run(RunOptions options) {
  if (options.resume && is_sweep_folder(options.study)) {
    std::filesystem::path out;
    const auto done = go_on_with_sweep(options.study, out);
    return shown_sweep(done, out, options.json);
  }
  auto study = is_run_file(options) ? take_from_run_file(options) : find_study(options.study);
  if (!study) return fail(study.error());
  Overrides overrides{options.set, options.repetitions, options.vary, options.quick, options.machine};
  auto plan = make_plan(*study, overrides);
  if (!plan) return fail(plan.error());
  if (auto good = check_own_builds(*plan, options.own); !good) return fail(good.error());
  if (study->speed && !options.dry_run) {
    if (auto set = set_speed_of_lab(*study, options); !set) return fail(set.error());
    plan = make_plan(std::move(*study), overrides);
    if (!plan) return fail(plan.error());
  }
  const auto places = places_of(*plan, options);
  if (!places) return fail(places.error());
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
  std::error_code ignored;
  const bool was_there = std::filesystem::exists(out, ignored);
  auto writer = options.resume ? RunWriter::resume(out, *header) : RunWriter::create(out, *header);
  if (!writer) return fail(writer.error());
  std::size_t recorded = writer->finished().size();

  std::vector<Trial> todo;
  for (const PlannedTrial& planned : plan->trials) {
    Trial trial;
    trial.index = planned.index;
    trial.repetition = planned.repetition;
    trial.factors = planned.factors;
    todo.push_back(std::move(trial));
  }
  const bool on_host = plan->study.machine == host_machine;
  lab::LabRunOptions lab_options{options.own.sources(), jobs_of(options)};
  auto identity = identify(todo, on_host, lab_options);
  if (identity)
    if (auto same = writer->be_made_from(*identity); !same) identity = fail(same.error());
  const auto give_up = [&](const Error& error) {
    writer->close();
    // An empty run file would only stand in the way of the next attempt.
    if (!was_there && recorded == 0) std::filesystem::remove(out, ignored);
    return fail(error);
  };
  if (!identity) return give_up(identity.error());
  std::erase_if(todo, [&](const Trial& trial) {
    return !places->contains(trial.index) || writer->finished().contains(trial.index);
  });

  std::size_t failed = 0;
  {
    const TrialNames names(*plan);
    ProgressLine progress(todo.size());
    TimeLeft time(on_host ? 1 : jobs_of(options));
    for (const Trial& trial : todo) time.plan(kind_of(trial));
    for (const std::string& note : plan->notes) progress.note(note);
    const std::string usual = file_name_of(plan->study.name) + ".vtax";
    if (options.out.empty() && options.shard.empty() && out != usual)
      progress.note(options.resume
                        ? fmt::format("going on with {}, the last run of this study here", out.string())
                        : fmt::format("{} is there already: this run goes into {}", usual, out.string()));
    if (todo.size() < places->size())
      progress.note(fmt::format("{} of {} trials are in {} already", places->size() - todo.size(),
                                places->size(), out.string()));
    lab::LabRunEvents events;
    events.on_step = [&](const std::string& step) { progress.step(step); };
    events.on_boots = [&](const lab::Boots& boots) {
      time.boots(boots.left, boots.done, boots.spent);
      progress.left(left_text(time.estimate()));
    };
    events.on_start = [&](const Trial& trial) {
      time.start(trial.index, TimeLeft::Clock::now());
      progress.started(names.of(trial));
    };
    std::set<std::string> said;
    const auto why_failed = [&](const std::string& error) {
      return said.insert(error).second ? error : std::string("the same as before");
    };
    events.on_not_tried = [&](const Error& why, std::vector<Trial> trials) -> Result<> {
      failed += trials.size();
      progress.note(fmt::format("failed: {}\n  left out therefore, until --resume: {} trials of {}",
                                why_failed(why.text()), trials.size(), kind_of(trials.front())));
      progress.skip(trials.size());
      for (const Trial& trial : trials) {
        time.finish(trial.index, kind_of(trial), TimeLeft::Clock::now());
        if (auto kept = writer->append(trial); !kept) return kept;
        ++recorded;
      }
      progress.left(left_text(time.estimate()));
      return {};
    };
    events.on_finished = [&](const Trial& trial) -> Result<> {
      if (!trial.error.empty()) {
        ++failed;
        progress.note(fmt::format("failed: {}\n  {}", names.of(trial), why_failed(trial.error)));
      }
      time.finish(trial.index, kind_of(trial), TimeLeft::Clock::now());
      progress.left(left_text(time.estimate()));
      progress.finished(names.of(trial));
      const auto kept = writer->append(trial);
      if (kept) ++recorded;
      return kept;
    };
    auto done = on_host ? host::run_on_host(std::move(todo), {events.on_step, events.on_start,
                                                              events.on_finished, events.on_not_tried})
                        : lab::run_in_lab(std::move(todo), lab_options, events);
    if (!done) return give_up(done.error());
  }
  writer->close();
  if (auto shown = show(out, options.json); !shown) return fail(shown.error());
  if (!options.json) say("\nRun file: {0}   (`vtax report {0} --format html -o page.html`)\n", out.string());
  return failed == 0 ? ExitCode::ok : ExitCode::trial_failed;
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
  app.add_option("--reps", options->repetitions,
                 "Repetitions of every cell (default: the study's; else 5 in the lab, 1 on the host)");
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
