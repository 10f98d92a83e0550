#include "cli/prices.h"

#include <memory>
#include <string>

#include "cli/progress_line.h"
#include "prices/measure.h"
#include "prices/text.h"
#include "report/output.h"

namespace vtax {
namespace {

struct MeasurePricesOptions {
  std::string output = "-";
};

Result<ExitCode> measure_here(const MeasurePricesOptions& options) {
  if (auto place = Output::try_place(options.output); !place) return fail(place.error());
  ProgressLine progress(0);
  const auto prices = prices::measure_prices([&](const std::string& step) { progress.step(step); });
  if (!prices) return fail(prices.error());
  auto file = Output::open(options.output);
  if (!file) return fail(file.error());
  file->stream() << prices::text_of(*prices);
  if (auto committed = file->commit(); !committed) return fail(committed.error());
  if (options.output == "-") return ExitCode::ok;
  auto text = Output::open("-");
  if (!text) return fail(text.error());
  prices::write_prices(*prices, text->stream());
  if (auto committed = text->commit(); !committed) return fail(committed.error());
  return ExitCode::ok;
}

Verb::Action add_price_options(CLI::App& app) {
  auto options = std::make_shared<MeasurePricesOptions>();
  app.add_option("-o,--out", options->output, "The price list; - is the standard output")
      ->capture_default_str();
  return [options] { return measure_here(*options); };
}

Verb measure_verb() {
  return {"measure", "What this computer takes for an instruction, a copied byte, a system call, ...",
          "vtax prices measure -o mine.toml && vtax report run.vtax --prices mine.toml", add_price_options,
          true};
}

}  // namespace

Verb prices_verb() {
  return {"prices", "What a processor takes for what the lab counts",
          "vtax prices measure -o mine.toml\n"
          "  vtax report run.vtax --prices mine.toml",
          [](CLI::App& app) { return add_group(app, {measure_verb()}); }};
}

}  // namespace vtax
