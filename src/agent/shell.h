#pragma once

#include "core/result.h"

namespace vtax::agent {

// `vtax lab shell` adds a static BusyBox to the image, here; measured images have none.
inline constexpr char kShellFile[] = "/lab/shell";

[[nodiscard]] bool has_shell();

// A shell on the machine's console; returns when it has ended.
[[nodiscard]] Result<> run_shell();

}  // namespace vtax::agent
