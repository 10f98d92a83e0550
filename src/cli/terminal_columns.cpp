#include "cli/terminal_columns.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/text_table.h"

namespace vtax {

std::size_t terminal_columns() {
  constexpr std::size_t kLeast = 60, kMost = 160;  // longer lines are hard to read
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return kPageColumns;
  return std::clamp<std::size_t>(size.ws_col, kLeast, kMost);
}

}  // namespace vtax
