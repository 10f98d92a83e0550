#pragma once

#include <string>

namespace vtax {

// books_error within the lab's machine, which is then a plain Linux, KVM's host or a Domain-0: it runs the
// host's own trial there, and prints what that says as JSON.

// The words by which it is started so, and the factor for the whole list of kills.
inline constexpr const char *kInLabWord = "in-lab", *kKillInLabWord = "kill-in-lab",
                            *kEveryKillWord = "every_kill";

// What the machine's image has for it: a list of modules, the user's program, and the kernel and initrd of
// guests of each platform that a Domain-0 is asked for.
inline constexpr const char *kMoreModules = "/lab/more-modules", *kProgramFiles = "/lab/own-program";
[[nodiscard]] std::string guest_files_of(const std::string& platform);

// `factors`: the trial's, as JSON. `kills`: it is killed again and again in place of being measured.
[[nodiscard]] int run_within_lab(const char* factors, bool kills);

}  // namespace vtax
