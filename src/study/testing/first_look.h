#pragma once

#include <string>
#include <vector>

#include "study/find_study.h"
#include "study/plan.h"

namespace vtax {

// Once each.
inline Study first_look() {
  Study study = find_study("first-look").value();
  study.repetitions = 1;
  return study;
}

// What a plan of it with these values is refused for, or "no error".
inline std::string error_of(const std::vector<std::string>& set) {
  const auto plan = make_plan(first_look(), {set, {}});
  return plan ? "no error" : plan.error().text();
}

}  // namespace vtax
