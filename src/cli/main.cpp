#include <fcntl.h>

#include "agent/entry.h"
#include "cli/advise.h"
#include "cli/agent.h"
#include "cli/compare.h"
#include "cli/doctor.h"
#include "cli/explain.h"
#include "cli/fit.h"
#include "cli/init.h"
#include "cli/lab.h"
#include "cli/list.h"
#include "cli/merge.h"
#include "cli/predict.h"
#include "cli/prices.h"
#include "cli/profile.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/simulate.h"
#include "cli/top.h"
#include "cli/workload.h"
#include "core/interruption.h"

int main(int argc, char** argv) {
  if (const auto code = vtax::agent::run_by_circumstance(argc, argv)) return *code;
  vtax::catch_interruptions();
  // A file that is opened must not become the standard output.
  for (int fd = 0; fd < 3; ++fd)
    if (fcntl(fd, F_GETFD) < 0) static_cast<void>(open("/dev/null", O_RDONLY));
  return vtax::run_command_line(
      {vtax::run_verb(), vtax::report_verb(), vtax::compare_verb(), vtax::merge_verb(), vtax::fit_verb(),
       vtax::predict_verb(), vtax::simulate_verb(), vtax::advise_verb(), vtax::prices_verb(),
       vtax::init_verb(), vtax::list_verb(), vtax::explain_verb(), vtax::doctor_verb(), vtax::top_verb(),
       vtax::profile_verb(), vtax::agent_verb(), vtax::lab_verb(), vtax::workload_verb()},
      argc, argv);
}
