#include "cli/machines.h"

#include <fmt/format.h>

#include "core/readable.h"
#include "machine/host/host.h"
#include "machine/lab/lab.h"

namespace vtax {

Result<std::unique_ptr<Machine>> make_machine(std::string_view name, const OwnBuilds& own, int jobs) {
  if (name == "lab") return std::make_unique<lab::Lab>(lab::LabRunOptions{own.sources(), jobs, own.stacks});
  if (name == "host") return std::make_unique<host::Host>(own.first_option());
  return fail({fmt::format("cannot run on machine {}", printable(name)), "there is none of that name", ""});
}

}  // namespace vtax
