#include "cli/report.h"

#include <map>
#include <memory>
#include <string>

#include "record/run_reader.h"
#include "report/json.h"
#include "report/output.h"
#include "report/table.h"

namespace vtax {
namespace {

struct Options {
  std::string run;
  std::string format = "table";
  std::string output = "-";
};

using Writer = Result<> (*)(RunReader&, std::ostream&);

const std::map<std::string, Writer>& writers() {
  static const std::map<std::string, Writer> all{{"table", write_table}, {"json", write_json}};
  return all;
}

Result<ExitCode> report(const Options& options) {
  auto reader = RunReader::open(options.run);
  if (!reader) return fail(reader.error());
  auto output = Output::open(options.output);
  if (!output) return fail(output.error());
  if (auto written = writers().at(options.format)(*reader, output->stream()); !written)
    return fail(written.error());
  if (auto committed = output->commit(); !committed) return fail(committed.error());
  return ExitCode::ok;
}

Verb::Action add_options(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->run, "The run file")->required();
  app.add_option("--format", options->format, "table (for people), json (docs/report-schema.md)")
      ->check(CLI::IsMember(writers()))
      ->capture_default_str();
  app.add_option("-o,--output", options->output, "Write to this file; - is the standard output")
      ->capture_default_str();
  return [options] { return report(*options); };
}

}  // namespace

Verb report_verb() {
  return {"report", "Show a run: as a table, a page, JSON, CSV or profiles",
          "vtax report first-look.vtax\n  vtax report first-look.vtax --format json -o first-look.json",
          add_options};
}

}  // namespace vtax
