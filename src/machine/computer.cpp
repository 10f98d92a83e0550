#include "machine/computer.h"

#include <sys/utsname.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "core/files.h"

namespace vtax {

std::string facts_of_this_computer() {
  utsname name{};
  uname(&name);
  std::string processor;
  if (const auto cpuinfo = read_text("/proc/cpuinfo")) {
    const auto at = cpuinfo->find("model name");
    if (at != std::string::npos) {
      const auto begin = cpuinfo->find(": ", at) + 2;
      processor = cpuinfo->substr(begin, cpuinfo->find('\n', begin) - begin);
    }
  }
  const nlohmann::json facts = {{"kernel", name.release},
                                {"kernel_build", name.version},
                                {"architecture", name.machine},
                                {"processor", processor},
                                {"cpus", std::thread::hardware_concurrency()}};
  return facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vtax
