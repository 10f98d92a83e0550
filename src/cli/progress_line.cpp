#include "cli/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "core/readable.h"

namespace vtax {
namespace {

std::size_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

ProgressLine::ProgressLine(std::size_t total) : terminal_(isatty(STDERR_FILENO) != 0), total_(total) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::show(const std::string& text) {
  constexpr std::size_t kDots = 3;  // behind what is cut
  std::fputs(fmt::format("\r\x1b[K{}", printable(text, columns() - 1 - kDots)).c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::step(const std::string& text) {
  if (terminal_)
    show(total_ > 0 ? fmt::format("[{}/{}{}] {}", done_, total_, left_, text) : text);
  else
    std::fputs((printable_lines(text) + "\n").c_str(), stderr);
}

void ProgressLine::started(const std::string& text) {
  if (terminal_) step(text);
}

void ProgressLine::finished(const std::string& text) {
  ++done_;
  const std::string line = fmt::format("[{}/{}{}] {}", done_, total_, left_, text);
  if (terminal_)
    show(line);
  else
    std::fputs((printable_lines(line) + "\n").c_str(), stderr);
}

void ProgressLine::note(const std::string& text) {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  std::fputs((printable_lines(text) + "\n").c_str(), stderr);
}

}  // namespace vtax
