#include "watch/show/screen_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "watch/show/delay.h"
#include "watch/show/figures.h"
#include "watch/show/table.h"

namespace vtax::watch {
namespace {

constexpr std::size_t kLongestTyped = 60;

std::string brief_others(const Reading& reading) {
  const auto text = [&](std::uint64_t ns) { return long_percent(percent(ns, reading.interval)); };
  const OtherTime& o = reading.other;
  return fmt::format("driver {}, uncharged {}, elsewhere {}, vtax {}, stolen {}, idle {}", text(o.driver_ns),
                     text(o.uncharged_ns), text(o.elsewhere_ns), text(o.vtax_ns), text(o.stolen_ns),
                     text(o.idle_ns));
}

}  // namespace

void ScreenModel::take(Reading reading) {
  history_.take(reading);
  reading_ = std::move(reading);
  keep_selection();
}

bool ScreenModel::selects() const {
  return view_ == View::guests || view_ == View::virtual_cpus || view_ == View::networks;
}

const GuestUse* ScreenModel::selected_guest() const {
  if (!reading_) return nullptr;
  const auto& guests = reading_->guests;
  const auto found =
      std::find_if(guests.begin(), guests.end(), [&](const GuestUse& g) { return g.name == selected_; });
  return found == guests.end() ? nullptr : &*found;
}

// The selection stays with its guest; when that is gone, with the place where it stood. One guest in detail
// is not exchanged for another.
void ScreenModel::keep_selection() {
  if (!reading_ || view_ == View::guest) return;
  const auto shown = arranged(*reading_, by_);
  const auto found =
      std::find_if(shown.begin(), shown.end(), [&](const GuestUse* g) { return g->name == selected_; });
  if (found != shown.end()) {
    selected_place_ = static_cast<std::size_t>(found - shown.begin());
    return;
  }
  selected_place_ = shown.empty() ? 0 : std::min(selected_place_, shown.size() - 1);
  selected_ = shown.empty() ? "" : shown[selected_place_]->name;
}

void ScreenModel::move_selection(std::ptrdiff_t by) {
  const auto moved = [&](std::size_t place, std::size_t size) {
    const auto last = static_cast<std::ptrdiff_t>(size) - 1;
    return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(place) + by, 0,
                                                               std::max<std::ptrdiff_t>(last, 0)));
  };
  constexpr std::size_t kAny = 1U << 30U;  // lines() knows the end
  if (!selects()) {
    first_ = moved(first_, kAny);
    return;
  }
  if (!reading_) return;
  const auto shown = arranged(*reading_, by_);
  if (shown.empty()) return;
  selected_place_ = moved(selected_place_, shown.size());
  selected_ = shown[selected_place_]->name;
}

void ScreenModel::move_sort(std::ptrdiff_t by) {
  if (seen_columns_.empty()) return;
  const auto found = std::find(seen_columns_.begin(), seen_columns_.end(), by_.sort);
  const auto size = static_cast<std::ptrdiff_t>(seen_columns_.size());
  const std::ptrdiff_t place = found == seen_columns_.end() ? 0 : found - seen_columns_.begin() + by;
  by_.sort = seen_columns_[static_cast<std::size_t>((place + size) % size)];
  keep_selection();
}

void ScreenModel::show(View view) {
  view_ = view_ == view ? View::guests : view;
  first_ = 0;
  keep_selection();
}

Wish ScreenModel::press_character(char character) {
  switch (character) {
    case 'q':
      return {true, false, std::nullopt};
    case ' ':
      return {false, true, std::nullopt};
    case 'h':
    case '?':
      show(View::help);
      break;
    case 'v':
      show(View::virtual_cpus);
      break;
    case 'n':
      show(View::networks);
      break;
    case '1':
      show(View::cpus);
      break;
    case 's':
      move_sort(1);
      break;
    case 'r':
      by_.ascending = !by_.ascending;
      keep_selection();
      break;
    case 'd':
      prompt_ = Prompt::delay;
      break;
    case 'f':
      prompt_ = Prompt::filter;
      typed_ = by_.filter;
      break;
    default:
      message_ =
          fmt::format("'{}' does nothing; h shows the keys", narrow(std::string_view(&character, 1), 1));
      break;
  }
  return {};
}

Wish ScreenModel::press_in_prompt(const KeyPress& press) {
  const auto leave = [&] {
    prompt_ = Prompt::none;
    typed_.clear();
  };
  if (press.key == Key::escape) {
    leave();
  } else if (press.key == Key::backspace) {
    if (!typed_.empty()) typed_.pop_back();
  } else if (press.key == Key::character) {
    if (typed_.size() < kLongestTyped) typed_ += press.character;
  } else if (press.key == Key::enter && prompt_ == Prompt::filter) {
    by_.filter = typed_;
    leave();
    keep_selection();
  } else if (press.key == Key::enter) {
    const auto delay = parse_delay(typed_);
    leave();
    if (!delay) {
      message_ = delay.error().why;
      return {};
    }
    delay_ = *delay;
    return {false, false, delay_};
  }
  return {};
}

Wish ScreenModel::press(const KeyPress& press) {
  message_.clear();
  if (prompt_ != Prompt::none) return press_in_prompt(press);
  const auto page = static_cast<std::ptrdiff_t>(page_);
  constexpr std::ptrdiff_t kAll = 1 << 29;
  switch (press.key) {
    case Key::character:
      return press_character(press.character);
    case Key::enter:
      if (selects() && selected_guest() != nullptr) show(View::guest);
      break;
    case Key::escape:
    case Key::backspace:
      if (view_ != View::guests) show(View::guests);
      break;
    case Key::up:
      move_selection(-1);
      break;
    case Key::down:
      move_selection(1);
      break;
    case Key::page_up:
      move_selection(-page);
      break;
    case Key::page_down:
      move_selection(page);
      break;
    case Key::home:
      move_selection(-kAll);
      break;
    case Key::end:
      move_selection(kAll);
      break;
    case Key::left:
      move_sort(-1);
      break;
    case Key::right:
      move_sort(1);
      break;
    case Key::other:
      break;
  }
  return {};
}

std::string ScreenModel::footer() const {
  if (prompt_ == Prompt::delay)
    return fmt::format("seconds between readings ({:g} now): {}_",
                       std::chrono::duration<double>(delay_).count(), typed_);
  if (prompt_ == Prompt::filter) return fmt::format("guests whose names hold (empty: all): {}_", typed_);
  if (!message_.empty()) return message_;
  std::string text =
      fmt::format("q quit  h help  s sort: {}{}  f filter{}{}  v n 1 views  Enter detail", by_.sort->name,
                  by_.ascending ? " up" : "", by_.filter.empty() ? "" : ": ", narrow(by_.filter, 12));
  if (reading_ && !reading_->missing.empty())
    text += fmt::format("  ({} unseen: h)", reading_->missing.size());
  return text;
}

std::vector<ScreenLine> ScreenModel::lines(std::size_t columns, std::size_t rows, bool unicode) {
  std::vector<ScreenLine> out;
  const auto add = [&](const std::string& text, Style style) {
    if (out.size() < rows) out.push_back({text, style});
  };
  if (rows == 0 || columns == 0) return out;
  if (!reading_) {
    add(narrow(fmt::format("vtax top: the first reading comes in {:g} s; q ends",
                           std::chrono::duration<double>(delay_).count()),
               columns),
        Style::title);
    return out;
  }
  // The smaller the screen, the more of it is the body.
  const std::size_t above = rows >= 10 ? 3 : rows >= 5 ? 1 : 0;
  const std::size_t below = rows >= 3 ? 1 : 0;
  if (above >= 1) add(narrow(title_line(*reading_), columns, unicode), Style::title);
  if (above >= 3) {
    add(narrow(brief_others(*reading_), columns, unicode), Style::plain);
    add(narrow(sum_line(*reading_), columns, unicode), Style::plain);
  }
  const std::size_t heading = rows >= 2 ? 1 : 0;
  page_ = rows - std::min(rows, above + below + heading);
  page_ = std::max<std::size_t>(page_, 1);
  const Body shown = body(columns, page_, unicode);
  if (heading > 0) add(shown.heading, Style::heading);
  const auto is_selected = [&](const BodyLine& line) {
    return selects() && !line.guest.empty() && line.guest == selected_;
  };
  if (selects()) {
    const auto found = std::find_if(shown.lines.begin(), shown.lines.end(), is_selected);
    if (found != shown.lines.end()) {
      const auto place = static_cast<std::size_t>(found - shown.lines.begin());
      first_ = std::clamp(first_, place >= page_ ? place - page_ + 1 : 0, place);
    }
  }
  first_ = std::min(first_, shown.lines.size() - std::min(shown.lines.size(), page_));
  for (std::size_t i = first_; i < std::min(shown.lines.size(), first_ + page_); ++i) {
    const BodyLine& line = shown.lines[i];
    add(line.use == nullptr ? line.text : shown.line_of(*line.use),
        is_selected(line) ? Style::selected : Style::plain);
  }
  if (below > 0) {
    while (out.size() + 1 < rows) out.push_back({"", Style::plain});
    add(narrow(footer(), columns, unicode), Style::title);
  }
  return out;
}

}  // namespace vtax::watch
