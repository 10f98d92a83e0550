#pragma once

#include <nlohmann/json.hpp>

#include "controller/trial.h"
#include "controller/trial_plan.h"
#include "core/result.h"
#include "platform/platform.h"

namespace vtax::controller {

// At the programs' code.
enum class ProgramLook { none, run_time, all };

// The plan's client in each system under test or in its partner, with the server in the other one, where
// there is a server, all at once; the answer is the message `result` without its modules. Each repetition has
// a server of its own, and a warm-up run. With hooks and a window that the clients mark, the hooks are called
// at its marks, at which each client waits for all others. With hooks the result also has how QEMU's guests
// divide their own time between them, "systems_user_ns" and "systems_kernel_ns" (programs_time.h), each a
// list with one number a guest, and, where the hooks are around the whole run, what the clients used that are
// processes of this machine, "clients": [{"process": who started it, "user_ns", "system_ns"}, ...]. With a
// look at what the window's processes made while they ran the result has that as "run_time":
// [{"domain" (empty: the driver domain or host), "cpu" (-1: any), "functions": lines of
// core/run_time_functions.h, "left_out": how many more there are}, ...]. With a look at all the warm-up also
// tells which files were executed where, and the result has them as "mapped": [{"domain", "cpu", "file",
// "called" (by a link; or empty), "begin", "end", "offset"}, ...].
[[nodiscard]] Result<nlohmann::json> run_program_trial(const TrialPlan& plan, Bench& bench,
                                                       const Setup& setup, ProgramLook look,
                                                       std::chrono::milliseconds settle = kLabSettle,
                                                       const WindowHooks& hooks = {});

}  // namespace vtax::controller
