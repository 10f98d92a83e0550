#include "platform/dead_guest.h"

#include <algorithm>
#include <utility>

#include "core/process_end.h"
#include "core/subprocess.h"

namespace vtax {
namespace {

std::string printable_end(const std::string& console) {
  constexpr std::size_t kBytes = 4096, kLines = 12;
  std::string out;
  for (const char c : last_lines(console.substr(console.size() - std::min(console.size(), kBytes)), kLines))
    if (c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f))
      out += c;
  return out;
}

}  // namespace

Error error_of_dead_guest(std::string what, std::string how, const std::string& console) {
  if (const std::string panic = kernel_panic_in(console); !panic.empty()) how += "; " + panic;
  const std::string lines = printable_end(console);
  return {std::move(what), std::move(how),
          lines.empty() ? "it had printed nothing" : "its last lines:\n" + lines, ExitCode::trial_failed};
}

}  // namespace vtax
