#include "query/simulated.h"

#include <nlohmann/json.hpp>

namespace vtax {

bool is_simulated(const Run& header) {
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  return settings.is_object() && settings.value("machine", nlohmann::json()) == "simulator";
}

}  // namespace vtax
