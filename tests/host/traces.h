#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace vtax {

// What a run could leave on this computer: descendants of this process (it takes in orphans, so none can
// hide), network devices, mounts, control groups, Xen's domains, files where programs keep temporary ones,
// and files that programs of the distribution keep in the home folder.
[[nodiscard]] std::set<std::string> traces();

// This process becomes the parent of every orphan below it. Call it before the first run.
void take_in_orphans();

// What is there now and was not before, after the time that a killed process may need to end; names of
// others' processes are not among it.
[[nodiscard]] std::set<std::string> left_behind(
    const std::set<std::string>& before, std::chrono::milliseconds patience = std::chrono::seconds(10));

// Starts a program in that folder, without output, and sends it SIGKILL after that time.
void start_and_kill(std::vector<std::string> words, const std::filesystem::path& folder,
                    std::chrono::milliseconds after);

}  // namespace vtax
