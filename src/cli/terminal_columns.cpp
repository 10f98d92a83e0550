#include "cli/terminal_columns.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/text_table.h"

namespace vtax {

std::size_t terminal_columns(std::size_t least, std::size_t most) {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return kPageColumns;
  return std::clamp<std::size_t>(size.ws_col, least, most);
}

}  // namespace vtax
