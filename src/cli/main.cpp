#include "cli/compare.h"
#include "cli/list.h"
#include "cli/report.h"

int main(int argc, char** argv) {
  return vtax::run_command_line({vtax::list_verb(), vtax::report_verb(), vtax::compare_verb()}, argc, argv);
}
