#pragma once

#include <memory>
#include <string_view>

#include "cli/own_builds.h"
#include "core/result.h"
#include "machine/machine.h"

namespace vtax {

// The machine of that name (study/catalogue.h: machines()), which is to run `jobs` trials at once as far as
// it can. Errors: usage; there is none of that name.
[[nodiscard]] Result<std::unique_ptr<Machine>> make_machine(std::string_view name, const OwnBuilds& own,
                                                            int jobs);

}  // namespace vtax
