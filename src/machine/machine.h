#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/not_tried.h"
#include "record/trial.h"

// Where the trials of a plan run: the emulated lab, this computer itself, or whatever else can run them.
namespace vtax {

// "fetching linux-image", "booting xen-pv once".
using OnStep = std::function<void(const std::string& step)>;

// What has to be booted for this run, each once; what a snapshot holds is there at once.
struct Boots {
  std::size_t left = 0;
  std::size_t done = 0;
  std::chrono::nanoseconds spent{0};  // on those done
};

// May be called from several threads, one at a time.
struct MachineEvents {
  OnStep on_step;
  std::function<void(const Boots& boots)> on_boots = {};  // at the begin, and when one is there
  std::function<void(const Trial& trial)> on_start;
  std::function<Result<>(Trial trial)>
      on_finished;               // Trial::error says whether it failed; an Error ends the run
  OnNotTried on_not_tried = {};  // of a part of the machine that there will not be
};

class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  // What of these trials, made as the user asked for, is not for this machine: looked at before anything is
  // fetched, written or booted. Errors: usage. What it can measure at all study/possible.h knows.
  [[nodiscard]] virtual Result<> check(const std::vector<Trial>& trials) const = 0;

  // What the trials are made from besides their settings, by content: a JSON object of names and hashes, for
  // RunWriter::be_made_from(). Runs of the same settings and the same identity may stand in one run file.
  // run() then ends where something turns out to be another.
  [[nodiscard]] virtual Result<std::string> identify(const std::vector<Trial>& trials,
                                                     const OnStep& on_step) = 0;

  // Runs the trials and hands each over with its counts and its provenance, in any order. A trial that fails
  // fails alone. Errors: the machine is not to be had (unavailable, io), interrupted, or on_finished's.
  [[nodiscard]] virtual Result<> run(std::vector<Trial> trials, const MachineEvents& events) = 0;

  // How many trials go on at once, at most.
  [[nodiscard]] virtual int at_once() const = 0;
};

}  // namespace vtax
