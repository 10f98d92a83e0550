#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "advise/placement.h"
#include "advise/server.h"
#include "advise/simulated.h"
#include "advise/stations.h"
#include "advise/told_cell.h"

// Which placement to take.
namespace vtax::advise {

struct Wish {
  std::string text;  // "CPU 0 (Domain-0) is 104 % busy, 80 % allowed"
  double over = 1;   // how many times what is allowed
};

struct Option {
  Placement placement;
  std::vector<ToldCell> told;            // by application
  predict::Estimate cpus;                // of work, at the rates that are asked for
  std::map<std::string, double> layers;  // the same by layer
  Stations stations;
  double room = 0;                      // so many times these rates keep every station as busy as is allowed
  std::vector<Simulated> simulated{};   // by application; empty: the simulator was not asked
  predict::Estimate aim;                // what is minimised: the less the better
  std::vector<std::string> notes = {};  // what its figures leave out
  std::vector<Wish> unmet = {};         // the worst first; empty: all holds
  bool may_be_best = false;  // what differs of it and of the best has intervals that overlap; so of the best
};

struct Advice {
  std::size_t placements = 0;
  std::vector<Option> holds;                                    // the best first
  std::vector<Option> fails;                                    // the one that is nearest to hold first
  std::vector<std::pair<Placement, std::string>> no_promise{};  // and why

  // How many of `holds` may be the best: above 1 there is no clear winner.
  [[nodiscard]] std::size_t contenders() const;
};

struct Knowledge {
  CellTeller tell;
  int told_mips = 0;                   // of the CPUs whose cells were measured; 0: they differ
  std::vector<std::string> platforms;  // that it knows something of
};

// Errors (usage): those of placements_of; no platform at hand has guests though the server wants them.
[[nodiscard]] Result<Advice> advise(const Server& server, const Knowledge& knowledge);

}  // namespace vtax::advise
