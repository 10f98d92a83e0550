#pragma once

#include <string>

#include "record/trial.h"

// What a run file holds is sealed when it is written, and whoever reads it works the seal out anew: a file in
// which something changed since, be it one bit, is damaged. It is no signature: who changes a file on purpose
// can seal it again.
namespace vtax {

// SHA-256, hexadecimal, of all that the file keeps of the trial. A failed trial's counts, which mean nothing,
// are left out.
[[nodiscard]] std::string seal_of(const Trial& trial);

// Likewise of the run itself, without its trials.
[[nodiscard]] std::string seal_of(const Run& header);

}  // namespace vtax
