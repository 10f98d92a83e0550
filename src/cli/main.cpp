#include <unistd.h>

#include "agent/init.h"
#include "cli/list.h"
#include "cli/report.h"
#include "cli/run.h"
#include "core/interruption.h"

int main(int argc, char** argv) {
  if (getpid() == 1) return vtax::agent::run_as_init();
  vtax::catch_interruptions();
  return vtax::run_command_line({vtax::run_verb(), vtax::list_verb(), vtax::report_verb()}, argc, argv);
}
