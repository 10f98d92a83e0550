#include "watch/screen/terminal.h"

#define NCURSES_NOMACROS 1
#include <fmt/format.h>
#include <langinfo.h>
#include <ncurses.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/readable.h"

namespace vtax::watch {
namespace {

constexpr std::array kDeadly{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// For a signal's handler, which may call little.
struct Restoration {
  termios modes{};
  std::array<char, 256> text{};
  std::size_t size = 0;
};
Restoration before;

void add_capability(const char* name) {
  const char* text = tigetstr(name);
  if (text == nullptr || std::string_view(text).size() + before.size > before.text.size()) return;
  for (; *text != '\0'; ++text) before.text[before.size++] = *text;
}

void restore_and_die(int signal) {
  [[maybe_unused]] const ssize_t written = write(STDOUT_FILENO, before.text.data(), before.size);
  tcsetattr(STDIN_FILENO, TCSANOW, &before.modes);
  raise(signal);  // SA_RESETHAND: the second one ends the process
}

void prepare_for_death() {
  before.size = 0;
  for (const char* name : {"sgr0", "rmkx", "cnorm", "rmcup"}) add_capability(name);
  struct sigaction action {};
  action.sa_handler = restore_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : kDeadly) sigaction(signal, &action, nullptr);
}

Error no_screen(std::string why, const std::string& first = "") {
  return {"cannot draw a screen", std::move(why),
          first + "`vtax top -b` prints a table a reading; --json and --csv, too"};
}

// Over ssh LANG comes from the terminal's computer, and names a locale that may not be installed here.
bool uses_utf8() {
  const auto is_set = [] { return std::string_view(nl_langinfo(CODESET)) == "UTF-8"; };
  std::setlocale(LC_CTYPE, "");
  if (is_set()) return true;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale(value);
    if (locale.ends_with(".UTF-8") || locale.ends_with(".utf8")) std::setlocale(LC_CTYPE, "C.UTF-8");
    break;  // the first that is set is the one that counts
  }
  return is_set();
}

attr_t attribute_of(Style style) {
  switch (style) {
    case Style::title:
      return A_BOLD;
    case Style::heading:
    case Style::selected:
      return A_REVERSE;
    case Style::plain:
      break;
  }
  return A_NORMAL;
}

KeyPress press_of(int code) {
  switch (code) {
    case KEY_UP:
      return {Key::up};
    case KEY_DOWN:
      return {Key::down};
    case KEY_LEFT:
      return {Key::left};
    case KEY_RIGHT:
      return {Key::right};
    case KEY_PPAGE:
      return {Key::page_up};
    case KEY_NPAGE:
      return {Key::page_down};
    case KEY_HOME:
      return {Key::home};
    case KEY_END:
      return {Key::end};
    case KEY_ENTER:
    case '\n':
    case '\r':
      return {Key::enter};
    case KEY_BACKSPACE:
    case '\b':
    case 0x7f:
      return {Key::backspace};
    case 0x1b:
      return {Key::escape};
    default:
      break;
  }
  if (code >= ' ' && code < 0x7f) return {Key::character, static_cast<char>(code)};
  return {Key::other};
}

}  // namespace

Result<Terminal> Terminal::open() {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    return fail(no_screen(isatty(STDOUT_FILENO) == 0 ? "the standard output is no terminal"
                                                     : "the standard input is no terminal"));
  const char* name = std::getenv("TERM");
  if (name == nullptr || *name == '\0') return fail(no_screen("TERM does not say which terminal this is"));
  const bool unicode = uses_utf8();
  tcgetattr(STDIN_FILENO, &before.modes);
  SCREEN* made = newterm(name, stdout, stdin);
  if (made == nullptr)
    return fail(no_screen(fmt::format("this computer knows no terminal named '{}'", printable(name)),
                          "TERM=xterm fits most terminals; "));
  if (tigetstr("cup") == nullptr) {
    endwin();
    delscreen(made);
    return fail(no_screen(fmt::format("the terminal '{}' cannot place text (TERM)", printable(name))));
  }
  Terminal terminal(made, unicode);
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, true);
  nodelay(stdscr, true);
  set_escdelay(50);
  curs_set(0);
  prepare_for_death();
  return terminal;
}

Terminal::Terminal(Terminal&& other) noexcept
    : screen_(std::exchange(other.screen_, nullptr)), unicode_(other.unicode_) {}

Terminal::~Terminal() {
  if (screen_ == nullptr) return;
  for (const int signal : kDeadly) std::signal(signal, SIG_DFL);
  endwin();
  delscreen(screen_);
}

std::size_t Terminal::columns() const {
  return static_cast<std::size_t>(std::max(getmaxx(stdscr), 0));
}

std::size_t Terminal::rows() const {
  return static_cast<std::size_t>(std::max(getmaxy(stdscr), 0));
}

void Terminal::draw(const std::vector<ScreenLine>& lines) {
  werase(stdscr);
  for (std::size_t row = 0; row < lines.size() && row < rows(); ++row) {
    const ScreenLine& line = lines[row];
    const bool is_bar = line.style == Style::heading || line.style == Style::selected;
    std::string text = line.text;
    if (is_bar && vtax::columns(text) < columns()) text.append(columns() - vtax::columns(text), ' ');
    wattrset(stdscr, static_cast<int>(attribute_of(line.style)));
    mvwaddnstr(stdscr, static_cast<int>(row), 0, text.data(), static_cast<int>(text.size()));
  }
  wattrset(stdscr, A_NORMAL);
  wrefresh(stdscr);
}

std::optional<KeyPress> Terminal::key() {
  const int code = wgetch(stdscr);
  return code == ERR ? std::nullopt : std::optional(press_of(code));
}

}  // namespace vtax::watch
