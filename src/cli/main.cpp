#include <CLI/CLI.hpp>

#include "cli/doctor.h"
#include "cli/lab_fetch.h"

int main(int argc, char** argv) {
  CLI::App app("vtax measures what virtualisation costs", "vtax");
  app.require_subcommand(1);
  vtax::ExitCode outcome = vtax::ExitCode::ok;
  vtax::cli::add_doctor(app, outcome);
  CLI::App* lab = app.add_subcommand("lab", "The emulated machine: its packages and images");
  lab->require_subcommand(1);
  vtax::cli::add_lab_fetch(*lab, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(vtax::ExitCode::usage);
  }
  return static_cast<int>(outcome);
}
