#include "cli/lab.h"

#include "cli/lab_boot.h"
#include "cli/lab_clean.h"
#include "cli/lab_fetch.h"
#include "cli/lab_shell.h"

namespace vtax {
namespace {

Verb::Action add_lab_options(CLI::App& app) {
  return add_group(app, {lab_fetch_verb(), lab_boot_verb(), lab_shell_verb(), lab_clean_verb()});
}

}  // namespace

Verb lab_verb() {
  return {"lab", "The emulated machine: its packages, a look inside, its cache",
          "vtax lab fetch\n  vtax lab shell xen-pv\n  vtax lab clean", add_lab_options};
}

}  // namespace vtax
