#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/capacity.h"
#include "query/cell.h"

namespace vtax {

// What a sentence about a cell is about, in the order in which reports say it.
enum class About { traffic, guests, drivers, measured, bound, packets, ticks, repetitions, sensitivity };

inline constexpr std::array<About, 9> kAbout{About::traffic,  About::guests,      About::drivers,
                                             About::measured, About::bound,       About::packets,
                                             About::ticks,    About::repetitions, About::sensitivity};

struct Sentence {
  About about{};
  std::string text;
};

// All that is said of a cell besides its cost by layer; nothing where it has no cost. `unit` is the first of
// its comparison's work.
[[nodiscard]] std::vector<Sentence> sentences_of(const RunCosts& costs, const Comparison& comparison,
                                                 const Cell& cell, Unit unit,
                                                 const std::optional<Found<MachineSpeed>>& speed);

}  // namespace vtax
