#include "tests/fuzz/targets.h"

namespace vtax::fuzz {

const std::vector<Target>& targets() {
  static const std::vector<Target> all = [] {
    std::vector<Target> out;
    for (const auto& some :
         {targets_of_files(), targets_of_images(), targets_of_guests(), targets_of_computers(),
          targets_of_networks(), targets_of_profiles(), targets_of_programs(), targets_of_advice()})
      out.insert(out.end(), some.begin(), some.end());
    return out;
  }();
  return all;
}

}  // namespace vtax::fuzz
