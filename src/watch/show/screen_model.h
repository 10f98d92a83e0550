#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "watch/reading.h"
#include "watch/show/arrange.h"
#include "watch/show/history.h"

namespace vtax::watch {

enum class View { guests, virtual_cpus, cpus, networks, guest, help };

enum class Style { plain, title, heading, selected };

struct ScreenLine {
  std::string text;  // printable, at most as many columns as were asked for
  Style style = Style::plain;
};

enum class Key {
  character,
  enter,
  escape,
  backspace,
  up,
  down,
  left,
  right,
  page_up,
  page_down,
  home,
  end,
  other,
};

struct KeyPress {
  Key key = Key::other;
  char character = 0;  // ASCII
};

// What a key asks of whoever reads and draws.
struct Wish {
  bool quit = false, read_now = false;
  std::optional<std::chrono::nanoseconds> delay;
};

// What the full screen of `vtax top` shows, and what its keys do; without a terminal.
class ScreenModel {
 public:
  ScreenModel(Arrangement by, std::chrono::nanoseconds delay) : by_(std::move(by)), delay_(delay) {}

  void take(Reading reading);
  [[nodiscard]] Wish press(const KeyPress& press);
  // So many lines, or fewer. Moves the part that is seen so that the selected guest is in it.
  [[nodiscard]] std::vector<ScreenLine> lines(std::size_t columns, std::size_t rows, bool unicode);

  [[nodiscard]] View view() const { return view_; }
  [[nodiscard]] const std::string& selected() const { return selected_; }
  [[nodiscard]] const Arrangement& arrangement() const { return by_; }

 private:
  enum class Prompt { none, delay, filter };
  struct BodyLine {
    std::string text;
    std::string guest;              // whose line it is; empty: nobody's
    const GuestUse* use = nullptr;  // whose line is made by Body::line_of when it is seen, of thousands a few
  };
  struct Body {
    std::string heading;
    std::vector<BodyLine> lines;
    std::function<std::string(const GuestUse&)> line_of = {};
  };

  [[nodiscard]] Wish press_in_prompt(const KeyPress& press);
  [[nodiscard]] Wish press_character(char character);
  void show(View view);
  void move_selection(std::ptrdiff_t by);
  void move_sort(std::ptrdiff_t by);
  void keep_selection();
  [[nodiscard]] bool selects() const;

  [[nodiscard]] Body body(std::size_t columns, std::size_t rows, bool unicode);
  [[nodiscard]] Body guests_body(std::size_t columns, bool unicode);
  [[nodiscard]] Body virtual_cpus_body(std::size_t columns, bool unicode) const;
  [[nodiscard]] Body cpus_body(std::size_t columns) const;
  [[nodiscard]] Body networks_body(std::size_t columns, bool unicode) const;
  [[nodiscard]] Body guest_body(std::size_t columns, std::size_t rows, bool unicode) const;
  [[nodiscard]] Body help_body(std::size_t columns) const;
  [[nodiscard]] std::string footer() const;
  [[nodiscard]] const GuestUse* selected_guest() const;

  Arrangement by_;
  std::chrono::nanoseconds delay_;
  std::optional<Reading> reading_;
  History history_;
  View view_ = View::guests;
  std::string selected_;
  std::size_t selected_place_ = 0;           // among the guests shown, for when the selected one is gone
  std::size_t first_ = 0;                    // line of the body that stands at the top
  std::size_t page_ = 1;                     // lines of the body that were seen last
  std::vector<const Column*> seen_columns_;  // of the table of guests
  Prompt prompt_ = Prompt::none;
  std::string typed_, message_;
};

}  // namespace vtax::watch
