#include "core/named.h"

#include <mutex>
#include <string>
#include <unordered_set>

namespace vtax {

std::string_view kept(std::string_view name) {
  static std::mutex one_at_a_time;
  static std::unordered_set<std::string> names;
  const std::lock_guard guard(one_at_a_time);
  return *names.emplace(name).first;
}

}  // namespace vtax
