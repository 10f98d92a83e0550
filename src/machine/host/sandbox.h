#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/result.h"

namespace vtax::host {

using TellStep = std::function<void(const std::string& step)>;
using SandboxedWork = std::function<Result<nlohmann::json>(const TellStep& progress)>;

// Where the sandbox mounts a file system of its own, for what a guest wants to write.
inline constexpr char kScratchDirectory[] = "/dev/shm";

// In a sandbox: a path to the /proc of the namespace around it, for what its own does not show (threads of
// the kernel). Empty elsewhere.
[[nodiscard]] std::filesystem::path outer_proc();

// Does `work` in a child that has its own network, process and mount namespaces, and as far as the user is
// not root, a user namespace in which it is. All that the work makes (processes, links, taps, mounts, files
// below scratch_directory) is in these, and so goes with the child, whatever ends it or this program: the
// child is killed with the thread that calls this, and is process 1 of its namespace, with which every other
// process in it is killed.
//
// The work's answer or error comes back as if it had been done here; `progress` is called here. Errors of its
// own: unavailable where namespaces are not allowed, trial_failed after `limit`, interrupted.
[[nodiscard]] Result<nlohmann::json> run_in_sandbox(const SandboxedWork& work, const TellStep& progress,
                                                    std::chrono::seconds limit);

}  // namespace vtax::host
