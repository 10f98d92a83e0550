#pragma once

#include <sys/types.h>

#include <csignal>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// What is long goes through a pager where people read it: $PAGER, or less where there is one, which ends by
// itself when everything fits on the screen. Without a terminal, with TERM=dumb, or with PAGER empty or
// "cat", there is none, and all of this does nothing. While it lives, the standard output leads to the pager;
// take the terminal's width before.
class Pager {
 public:
  // Nothing is begun unless `is_wanted`.
  [[nodiscard]] static Result<Pager> begin(bool is_wanted);

  // Waits for the reader. That they left before the end is no error, and neither is what could not be
  // written then. Errors: the pager could not be run (usage).
  [[nodiscard]] Result<> end();

  Pager(Pager&& other) noexcept;
  Pager& operator=(Pager&&) = delete;
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;
  ~Pager();

  [[nodiscard]] bool is_there() const { return child_ > 0; }

 private:
  Pager() = default;

  pid_t child_ = -1;
  Descriptor terminal_;  // the standard output, as it was
  struct sigaction interruption_ {};
  struct sigaction broken_pipe_ {};
};

}  // namespace vtax
