#include "watch/screen/screen.h"

#include <unistd.h>

#include <utility>

namespace vtax::watch {

Screen::Screen(Terminal terminal, ScreenModel model)
    : terminal_(std::move(terminal)), model_(std::move(model)) {}

Result<Screen> Screen::open(Arrangement by, std::chrono::nanoseconds delay) {
  auto terminal = Terminal::open();
  if (!terminal) return fail(terminal.error());
  Screen screen(std::move(*terminal), ScreenModel(std::move(by), delay));
  screen.draw();
  return screen;
}

void Screen::draw() {
  terminal_.draw(model_.lines(terminal_.columns(), terminal_.rows(), terminal_.unicode()));
}

void Screen::take(const Reading& reading) {
  model_.take(reading);
  draw();
}

Wish Screen::look_at_keys() {
  Wish wish;
  while (const auto press = terminal_.key()) {
    const Wish one = model_.press(*press);
    wish.quit = wish.quit || one.quit;
    wish.read_now = wish.read_now || one.read_now;
    if (one.delay) wish.delay = one.delay;
  }
  draw();
  return wish;
}

int Screen::input() {
  return STDIN_FILENO;
}

}  // namespace vtax::watch
