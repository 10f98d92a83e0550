#include "cli/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/readable.h"
#include "predict/fit.h"
#include "predict/model_file.h"
#include "predict/text.h"
#include "record/run_reader.h"
#include "report/output.h"
#include "study/catalogue.h"
#include "study/find_study.h"
#include "study/plan.h"

namespace vtax {
namespace {

struct PredictOptions {
  std::string model, study, check, format = "table";
  std::vector<std::string> set;
};

Factors without_amounts(Factors cell) {
  const std::string workload = cell.at("workload");
  std::erase_if(cell, [&](const auto& one) { return predict::is_amount(workload, one.first); });
  return cell;
}

Result<std::vector<Factors>> cells_of_study(const PredictOptions& options) {
  auto study = find_study(options.study);
  if (!study) return fail(study.error());
  const auto plan = make_plan(*study, {options.set, std::nullopt});
  if (!plan) return fail(plan.error());
  std::vector<Factors> cells;
  for (const PlannedTrial& trial : plan->trials) {
    Factors cell = without_amounts(trial.factors);
    if (std::find(cells.begin(), cells.end(), cell) == cells.end()) cells.push_back(std::move(cell));
  }
  return cells;
}

struct Setting {
  std::string factor;
  std::vector<std::string> values;  // canonical
};

Result<Setting> setting_of(const std::string& text) {
  const std::string what = fmt::format("cannot use --set {}", printable(text));
  const auto equals = text.find('=');
  if (equals == std::string::npos) return fail({what, "it has no '='", "for example --set write_bytes=2000"});
  Setting setting{text.substr(0, equals), {}};
  const bool is_workload = setting.factor == "workload";
  const Factor* factor = is_workload ? nullptr : find_factor_of_any(setting.factor, "");
  if (!is_workload && factor == nullptr)
    return fail({what, "there is no factor of this name", "`vtax list workloads` names them"});
  for (std::size_t at = equals + 1; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string value = text.substr(at, end - at);
    if (is_workload) {
      setting.values.push_back(value);
    } else {
      auto spelled = canonical(*factor, value);
      if (!spelled) return fail({what, spelled.error().why, spelled.error().next});
      setting.values.push_back(std::move(*spelled));
    }
    at = end + 1;
  }
  return setting;
}

// The model's own cells, with other values of the factors that are set: each once.
Result<std::vector<Factors>> cells_like_known(const predict::Model& model, const PredictOptions& options) {
  std::vector<Factors> cells;
  for (const predict::KnownCell& cell : model.parts().known.cells) cells.push_back(cell.factors);
  for (const std::string& text : options.set) {
    auto setting = setting_of(text);
    if (!setting) return fail(setting.error());
    std::set<Factors> changed;
    std::vector<Factors> next;
    for (const Factors& cell : cells) {
      const auto place = cell.find(setting->factor);
      if (place == cell.end()) continue;
      for (const std::string& value : setting->values) {
        // A workload has its own factors, a platform those that mean something on it: a cell is not turned
        // into another's, but chosen.
        const bool is_choice = setting->factor == "workload" || setting->factor == "platform";
        if (is_choice && place->second != value) continue;
        Factors other = cell;
        other[setting->factor] = value;
        if (changed.insert(other).second) next.push_back(std::move(other));
      }
    }
    cells = std::move(next);
    if (cells.empty())
      return fail({fmt::format("cannot use --set {}", printable(text)), "no cell of the model has that",
                   "`vtax predict MODEL` lists its cells"});
  }
  return cells;
}

Result<ExitCode> check_model(const predict::Model& model, const PredictOptions& options, std::ostream& out) {
  auto reader = RunReader::open(options.check);
  if (!reader) return fail(reader.error());
  predict::KnownCells measured;
  if (auto added = predict::add_run(*reader, measured); !added) return fail(added.error());
  const auto check = predict::check(model, measured);
  if (!check) return fail(check.error());
  if (options.format == "json")
    predict::write_check_json(*check, out);
  else
    predict::write_check(*check, out);
  return ExitCode::ok;
}

Result<ExitCode> predict_cells(const predict::Model& model, const PredictOptions& options,
                               std::ostream& out) {
  const auto cells = options.study.empty() ? cells_like_known(model, options) : cells_of_study(options);
  if (!cells) return fail(cells.error());
  if (options.format == "json")
    predict::write_predictions_json(model, *cells, out);
  else
    predict::write_predictions(model, *cells, out);
  return ExitCode::ok;
}

Result<ExitCode> run_predict(const PredictOptions& options) {
  if (!options.check.empty() && (!options.study.empty() || !options.set.empty()))
    return fail(
        {"cannot use --check with a study or --set", "it looks at every cell of the run", "leave them out"});
  const auto model = predict::read_model(options.model);
  if (!model) return fail(model.error());
  auto output = Output::open("-");
  if (!output) return fail(output.error());
  auto done = options.check.empty() ? predict_cells(*model, options, output->stream())
                                    : check_model(*model, options, output->stream());
  if (!done) return done;
  if (auto committed = output->commit(); !committed) return fail(committed.error());
  return done;
}

Verb::Action add_predict_options(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  app.add_option("MODEL", options->model, "What `vtax fit` wrote")->required();
  app.add_option("STUDY", options->study,
                 "Every cell of this study: a file, or a name that `vtax list studies` shows");
  app.add_option("--set", options->set,
                 "factor=value[,value]: with STUDY as `vtax run` takes it; without, the model's own\n"
                 "cells with these values");
  app.add_option("--check", options->check,
                 "A run that was measured: how far the model is off of each of its cells");
  app.add_option("--format", options->format, "table: for people; json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  return [options] { return run_predict(*options); };
}

}  // namespace

Verb predict_verb() {
  return {"predict", "What cells would cost that were not measured, with intervals",
          "vtax predict grid.model first-look\n"
          "  vtax predict grid.model --set workload=tcp-stream --set platform=xen-pv --set write_bytes=2000\n"
          "  vtax predict grid.model --check measured.vtax",
          add_predict_options, true};
}

}  // namespace vtax
