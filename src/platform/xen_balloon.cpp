#include "platform/xen_balloon.h"

#include <fmt/format.h>

#include <charconv>
#include <thread>

#include "core/kernel_file.h"

namespace vtax {
namespace {

constexpr char kBalloon[] = "/sys/devices/system/xen_memory/xen_memory0/info/current_kb";
constexpr std::uint64_t kMostKib = 1ULL << 40;
constexpr std::chrono::milliseconds kPatience{100};

}  // namespace

Result<nlohmann::json> obey_memory() {
  const auto text = read_kernel_file(kBalloon);
  if (!text) return fail(text.error());
  std::uint64_t kib = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), kib);
  if (error != std::errc() || end != text->data() + text->size())
    return fail(Error{"read the balloon's size", "it is no number", "", ExitCode::trial_failed});
  return nlohmann::json{{"state", "done"}, {"kib", kib}};
}

Result<std::uint64_t> memory_kib_of(EndpointClient& guest) {
  const auto answer = guest.ask({{"do", "memory"}}, std::chrono::seconds(10));
  if (!answer) return fail(answer.error());
  return answer->number("kib", 0, kMostKib);
}

Result<> wait_for_memory(EndpointClient& guest, int mib, std::chrono::seconds limit) {
  const auto wanted = static_cast<std::uint64_t>(mib) * 1024;
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto held = memory_kib_of(guest);
    if (!held) return fail(held.error());
    if (*held <= wanted) return {};
    if (std::chrono::steady_clock::now() > end)
      return fail(Error{fmt::format("take the guest's memory down to {} MiB", mib),
                        fmt::format("it still holds {} KiB", *held), "let it keep more",
                        ExitCode::trial_failed});
    std::this_thread::sleep_for(kPatience);
  }
}

}  // namespace vtax
