#include "core/result.h"

#include <cerrno>
#include <cstring>

namespace vtax {

Error system_error(std::string what, int error_number) {
  Error error{std::move(what), std::strerror(error_number), "", ExitCode::io};
  if (error_number == ENOSPC || error_number == EDQUOT)
    error.next = "free some space and run the same command again";
  if (error_number == EACCES || error_number == EPERM)
    error.next = "check who owns it, or choose another place";
  return error;
}

}  // namespace vtax
