#include "cli/simulate.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/run_place.h"
#include "cli/say.h"
#include "cli/terminal_columns.h"
#include "core/readable.h"
#include "core/text_table.h"
#include "record/run_reader.h"
#include "record/run_writer.h"
#include "record/unfinished_run.h"
#include "report/table.h"
#include "simulate/simulated_run.h"
#include "study/catalogue.h"
#include "study/find_study.h"
#include "study/machine_rules.h"

namespace vtax {
namespace {

struct SimulateOptions {
  std::string study;
  std::string costs;
  std::vector<std::string> set;
  std::optional<int> repetitions;
  std::string scheduler;
  std::uint64_t seed = 1;
  std::string out;
};

std::vector<std::string> simulated_schedulers() {
  std::vector<std::string> names;
  for (const auto& row : enum_names<simulate::SchedulerKind>) names.emplace_back(row.second);
  return names;
}

bool is_usual_value(const Study& study, const std::string& factor) {
  return study.factors.at(factor) == std::vector{find_factor(common_factors(), factor)->fallback};
}

// The lab's speed is found by running it; the costs were measured at it.
void take_speed(const simulate::PriceList& prices, Study& study) {
  if (is_usual_value(study, "cpu_mips") && prices.cpu_mips() > 0)
    study.factors["cpu_mips"] = {std::to_string(prices.cpu_mips())};
  if (study.speed && study.speed->link_mbps > 0 && is_usual_value(study, "link_mbps"))
    study.factors["link_mbps"] = {fmt::format("{:.0f}", study.speed->link_mbps)};
  study.speed.reset();
}

Result<Plan> plan_of(const SimulateOptions& options, const simulate::PriceList& prices) {
  auto study = find_study(options.study);
  if (!study) return fail(study.error());
  if (study->machine == kHostMachine)
    return fail({fmt::format("cannot simulate study {}", study->name),
                 "it is about this computer itself, whose costs by instructions nobody knows",
                 "take a study of the lab"});
  take_speed(prices, *study);
  return make_plan(std::move(*study), {options.set, options.repetitions});
}

// How many trials failed. Part of a simulation is nothing: the same seed gives the same trials.
Result<std::size_t> write_simulated(const simulate::SimulationWish& wish, const simulate::PriceList& prices,
                                    const Plan& plan, const std::filesystem::path& out) {
  std::error_code ignored;
  if (std::filesystem::symlink_status(out, ignored).type() != std::filesystem::file_type::not_found)
    return fail({fmt::format("cannot write run file {}", printable(out.string(), 200)), "it is there already",
                 "name another file by --out, or remove it"});
  Run header = simulate::header_of(wish, prices, plan);
  header.started_utc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  std::optional<UnfinishedRun> unfinished;
  auto writer = RunWriter::create(out, header);
  if (!writer) return fail(writer.error());
  unfinished.emplace(out);
  std::size_t failed = 0;
  const auto done = simulate::simulate_all(wish, prices, plan, [&](const Trial& trial) {
    if (!trial.error.empty()) ++failed;
    return writer->append(trial);
  });
  writer->close();
  if (!done) return fail(done.error());
  unfinished->keep();
  return failed;
}

Result<ExitCode> simulate_study(const SimulateOptions& options) {
  const auto prices = simulate::PriceList::read(options.costs);
  if (!prices) return fail(prices.error());
  auto plan = plan_of(options, *prices);
  if (!plan) return fail(plan.error());
  simulate::SimulationWish wish{options.costs, std::nullopt, options.seed};
  if (!options.scheduler.empty()) wish.scheduler = named<simulate::SchedulerKind>(options.scheduler);
  const auto notes = simulate::leave_out_unknown(wish, *prices, *plan);
  if (!notes) return fail(notes.error());
  for (const auto& list : {plan->notes, *notes})
    for (const std::string& note : list) std::cerr << "vtax: " << printable_lines(note) << "\n";
  std::filesystem::path out = options.out;
  if (out.empty()) out = free_run_file("", plan->study.name + "-simulated");
  const auto failed = write_simulated(wish, *prices, *plan, out);
  if (!failed) return fail(failed.error());
  auto reader = RunReader::open(out);
  if (!reader) return fail(reader.error());
  set_page_columns(std::cout, terminal_columns());
  if (auto shown = write_table(*reader, std::cout, TableDetail::first); !shown) return fail(shown.error());
  say("\nRun file: {0}   (`vtax report {0} --format html -o page.html`)\n", out.string());
  return *failed == 0 ? ExitCode::ok : ExitCode::trial_failed;
}

Verb::Action add_simulate_options(CLI::App& app) {
  auto options = std::make_shared<SimulateOptions>();
  app.add_option("STUDY", options->study, "A study file, or the name of one that comes with vtax")
      ->required();
  app.add_option("--costs", options->costs,
                 "A run file of the lab: what one guest's work costs is taken from its cells")
      ->type_name("RUN")
      ->required();
  app.add_option("--set", options->set, "factor=value[,value]: replace a factor's values")
      ->type_name("FACTOR=VALUES");
  app.add_option("--reps", options->repetitions,
                 "Repetitions of every cell, whose guests begin at other moments (default: as in the lab)");
  app.add_option("--scheduler", options->scheduler,
                 "One for all cells, instead of the study's: Xen's, and those that Xen had once")
      ->check(CLI::IsMember(simulated_schedulers()));
  app.add_option("--seed", options->seed, "The same seed gives the same trials")->capture_default_str();
  app.add_option("-o,--out", options->out,
                 "The run file to write (default: the study's name, -simulated.vtax)");
  return [options] { return simulate_study(*options); };
}

}  // namespace

Verb simulate_verb() {
  return {"simulate", "What a study would give by a simulator, at costs that the lab has measured",
          "vtax simulate primet-2007 --costs primet-2007.vtax --set platform=xen-pv\n"
          "  vtax simulate more-guests.toml --costs one-guest.vtax --set guests=2,4,7 --seed 7\n"
          "  vtax simulate primet-2007 --costs primet-2007.vtax --set platform=xen-pv --scheduler bvt",
          add_simulate_options, true};
}

}  // namespace vtax
