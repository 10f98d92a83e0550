#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/result.h"
#include "watch/show/screen_model.h"

struct screen;  // of ncurses

namespace vtax::watch {

// The terminal of this process, full screen, by ncurses. It is as it was before when the object goes, and
// when the process dies of an error of its own (SIGSEGV and the like); one at a time.
class Terminal {
 public:
  // Error, usage: standard input or output is no terminal, or TERM names none that is known.
  [[nodiscard]] static Result<Terminal> open();
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  void draw(const std::vector<ScreenLine>& lines);

  // Nothing: no key is there. A change of the terminal's size is taken note of, and is Key::other.
  [[nodiscard]] std::optional<KeyPress> key();

  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::size_t rows() const;
  // Whether it shows more than ASCII.
  [[nodiscard]] bool unicode() const { return unicode_; }

 private:
  Terminal(screen* of, bool unicode) : screen_(of), unicode_(unicode) {}

  screen* screen_ = nullptr;
  bool unicode_ = false;
};

}  // namespace vtax::watch
