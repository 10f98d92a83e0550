#pragma once

#include <chrono>

#include "core/result.h"
#include "watch/screen/terminal.h"
#include "watch/show/screen_model.h"

namespace vtax::watch {

// The full screen of `vtax top`: readings go in, and keys.
class Screen {
 public:
  // Errors: terminal.h.
  [[nodiscard]] static Result<Screen> open(Arrangement by, std::chrono::nanoseconds delay);

  void take(const Reading& reading);

  // Does what the keys that are there ask for, and draws anew. To be called when input() is readable, and
  // after a signal: the terminal may have another size.
  [[nodiscard]] Wish look_at_keys();

  [[nodiscard]] static int input();  // descriptor

 private:
  Screen(Terminal terminal, ScreenModel model);
  void draw();

  Terminal terminal_;
  ScreenModel model_;
};

}  // namespace vtax::watch
