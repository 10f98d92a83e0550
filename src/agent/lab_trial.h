#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>

#include "agent/lab_plan.h"
#include "controller/trial.h"
#include "core/result.h"
#include "platform/platform.h"

// What every lab machine does once it is up: one trial between a snapshot and the end.
namespace vtax::agent {

void send_progress(const char* step);

// The message `error`, if the host side can be reached at all.
void send_error(const Error& error);

// Sends `ready`; the machine stops for its snapshot. What follows is one trial, and this is its plan.
[[nodiscard]] Result<LabPlan> snapshot_and_read_plan();

// Tells the probe which domain runs on each of this domain's CPUs.
[[nodiscard]] Result<> announce_on(std::initializer_list<int> cpus, int domain);

// Placement and cards of the lab machine for this plan. CPUs are numbered as the caller's kernel does.
[[nodiscard]] Result<Setup> lab_setup(const LabPlan& plan);

// Kernel modules beyond those that every trial has; before modules are listed for the result.
[[nodiscard]] Result<> load_what_is_needed(const LabPlan& plan);

// Arranges, works, and sends `result` with the modules' places; then, without end but for the host side's, a
// window and a `result` for each further repetition, without the modules, which stay. `disks`: the systems'
// own, where the plan has a disk; then there is one window.
[[nodiscard]] Result<> arrange_and_work(const LabPlan& plan, Platform& platform, const Setup& setup,
                                        const nlohmann::json& modules,
                                        const controller::WindowHooks& hooks = {},
                                        const std::vector<std::string>& disks = {});

void send_result(nlohmann::json result, const nlohmann::json& modules);

}  // namespace vtax::agent
