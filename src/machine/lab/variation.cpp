#include "machine/lab/variation.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "core/readable.h"

namespace vtax::lab {
namespace {

constexpr int kMost = 100;

// No multiple of it is near a multiple of a tick (4 ms at 250 Hz) before the hundredth.
constexpr std::chrono::microseconds kTimerStep(1387);

}  // namespace

void Variation::apply(MachineSpec& spec) const {
  if (layout > 0) {
    // A whole number of 2-MiB pages more; a word without a dot is for the environment of the first process.
    spec.memory_mib += 2 * layout;
    spec.kernel_arguments +=
        fmt::format(" VTAX_LAYOUT={}", std::string(static_cast<std::size_t>(layout) * 3, 'x'));
  }
  if (seed > 0) spec.date = fmt::format("2026-01-01T00:{:02}:{:02}", seed / 60, seed % 60);
}

std::chrono::microseconds Variation::delay() const {
  return timer * kTimerStep;
}

Result<Variation> variation_of(std::string_view text) {
  Variation variation;
  if (text == "none") return variation;
  const std::size_t dash = text.rfind('-');
  const std::string_view kind = text.substr(0, dash);
  int* const number = kind == "layout"  ? &variation.layout
                      : kind == "seed"  ? &variation.seed
                      : kind == "timer" ? &variation.timer
                                        : nullptr;
  if (number != nullptr && dash != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + dash + 1, end, *number);
    if (read.ec == std::errc() && read.ptr == end && *number >= 1 && *number <= kMost) return variation;
  }
  return fail(
      {"cannot plan the trial", fmt::format("'{}' is no variation", printable(text)), "", ExitCode::usage});
}

}  // namespace vtax::lab
