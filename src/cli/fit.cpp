#include "cli/fit.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/number_within.h"
#include "cli/progress_line.h"
#include "cli/say.h"
#include "predict/fit.h"
#include "predict/model_file.h"
#include "predict/text.h"
#include "record/run_reader.h"
#include "report/output.h"

namespace vtax {
namespace {

struct ModelOptions {
  std::vector<std::string> runs;
  std::string output;
  double hold_out_percent = 20;
};

Result<ExitCode> fit_model(const ModelOptions& options) {
  if (auto place = Output::try_place(options.output); !place) return fail(place.error());
  predict::KnownCells known;
  for (const std::string& file : options.runs) {
    auto reader = RunReader::open(file);
    if (!reader) return fail(reader.error());
    if (auto added = predict::add_run(*reader, known); !added) return fail(added.error());
  }
  ProgressLine progress(0);
  constexpr double kPercent = 100;
  const auto model = predict::fit(std::move(known), {options.hold_out_percent / kPercent},
                                  [&](const std::string& step) { progress.step(step); });
  if (!model) return fail(model.error());
  auto file = Output::open(options.output);
  if (!file) return fail(file.error());
  predict::write_model(*model, VTAX_VERSION, file->stream());
  if (auto committed = file->commit(); !committed) return fail(committed.error());
  auto text = Output::open("-");
  if (!text) return fail(text.error());
  if (options.output != "-") predict::write_scores(*model, text->stream());
  if (auto committed = text->commit(); !committed) return fail(committed.error());
  return ExitCode::ok;
}

Verb::Action add_fit_options(CLI::App& app) {
  auto options = std::make_shared<ModelOptions>();
  constexpr double kMostHeldOut = 50;
  app.add_option("RUN", options->runs, "Run files to learn from, of one unit: the lab's or a host's")
      ->required();
  app.add_option("-o,--out", options->output, "The model's file; - is the standard output")->required();
  app.add_option("--hold-out", options->hold_out_percent,
                 "Percent of the cells by which the model is judged before it learns them too; 0: none")
      ->check(NumberWithin(0, kMostHeldOut))
      ->capture_default_str();
  return [options] { return fit_model(*options); };
}

}  // namespace

Verb fit_verb() {
  return {"fit", "Learn from runs what cells cost that were not measured",
          "vtax run model-grid --out grid.vtax && vtax fit grid.vtax -o grid.model\n"
          "  vtax predict grid.model --set platform=xen-pv --set write_bytes=2000",
          add_fit_options, true};
}

}  // namespace vtax
