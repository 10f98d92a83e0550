#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "study/study.h"

// What may stand together in a study, beyond what each factor allows by itself.
namespace vtax {

inline constexpr char kHostMachine[] = "host";

// Another machine than the study's own. The host has no two network cards that are joined, so there the
// topology is `inside`, whatever the lab's study says.
[[nodiscard]] Result<> set_machine(std::string_view machine, Study& study);

// What a study of the host has that does not name it: windows that are grown to a second (an eighth of it for
// --quick), but those whose amount of work is named; and disks that are disks. Amounts that a study of the
// lab names were chosen for the lab.
void set_host_defaults(Study& study, bool is_quick);

// A platform of the one machine alone, a topology that a machine lacks. Errors: usage; `what` is the
// caller's.
[[nodiscard]] Result<> check_machine(const Study& study, const std::string& what);

}  // namespace vtax
