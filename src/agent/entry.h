#pragma once

#include <optional>

namespace vtax::agent {

// The two parts that vtax plays because of how it was started, not because of what it was told: PID 1 of a
// lab image, and Xen's program for network backends. The exit code if it was one of them; main calls this
// before it reads any flag.
[[nodiscard]] std::optional<int> run_by_circumstance(int argument_count, char** arguments);

}  // namespace vtax::agent
