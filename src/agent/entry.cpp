#include "agent/entry.h"

#include <unistd.h>

#include <filesystem>

#include "agent/block_script.h"
#include "agent/init.h"
#include "agent/vif_script.h"

namespace vtax::agent {

std::optional<int> run_by_circumstance(int argument_count, char** arguments) {
  if (getpid() == 1) return run_as_init();
  if (argument_count > 0 && std::filesystem::path(arguments[0]).filename() == kVifScript) {
    return run_as_vif_script(argument_count, arguments);
  }
  if (argument_count > 0 && std::filesystem::path(arguments[0]).filename() == kBlockScript) {
    return run_as_block_script(argument_count, arguments);
  }
  return std::nullopt;
}

}  // namespace vtax::agent
