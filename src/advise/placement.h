#pragma once

#include <string>
#include <vector>

#include "advise/server.h"
#include "core/result.h"
#include "query/varying_factors.h"

namespace vtax::advise {

// One way to set the server up: a value of everything that may be chosen.
struct Placement {
  Factors common;  // canonical: the platform, and what means something on it
  std::vector<Factors> cells =
      {};  // by application: `common`, topology card, guests, its workload and factors

  bool operator==(const Placement&) const = default;
};

inline constexpr double kMostPlacements = 20'000;

// Every combination once; a factor that means nothing on a platform does not multiply it. Platforms vary
// slowest. Errors (usage): more than kMostPlacements; a choice that means nothing on any of the platforms.
[[nodiscard]] Result<std::vector<Placement>> placements_of(const Server& server,
                                                           const std::vector<std::string>& platforms);

// "xen-pv, offloads off, files: write_bytes 1448 B", of factors that differ among `all`; the platform
// always.
class PlacementNames {
 public:
  PlacementNames(const Server& server, const std::vector<Placement>& all);
  [[nodiscard]] std::string of(const Placement& placement) const;

 private:
  struct Part {
    std::size_t application;  // applications.size(): a common factor
    std::string factor;
  };
  std::vector<std::string> applications_;
  std::vector<Part> parts_;
};

}  // namespace vtax::advise
