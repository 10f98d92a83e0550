#include "watch/taps.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/descriptor.h"
#include "meter/kernel_text.h"

namespace vtax::watch {
namespace {

std::string_view interface_of(std::string_view fdinfo) {
  constexpr std::string_view kKey = "iff:";
  const std::size_t at = fdinfo.find(kKey);
  return at == std::string_view::npos ? std::string_view()
                                      : meter::Words(fdinfo.substr(at + kKey.size())).next();
}

}  // namespace

void TapHolders::look(const std::vector<const meter::ProcessFacts*>& hypervisors,
                      const std::vector<meter::LinkReading>& links) {
  std::set<std::uint32_t> devices;
  for (const auto& link : links) devices.insert(link.index);
  const bool devices_came = !std::includes(devices_.begin(), devices_.end(), devices.begin(), devices.end());
  devices_ = std::move(devices);
  std::set<int> here, holding;
  for (const auto* process : hypervisors)
    if (const auto known = born_.find(process->number);
        known != born_.end() && known->second == process->born_ticks)
      here.insert(process->number);
  std::erase_if(born_, [&](const auto& one) { return !here.contains(one.first); });
  std::erase_if(holders_,
                [&](const auto& one) { return !here.contains(one.second) || !devices_.contains(one.first); });
  for (const auto& [device, process] : holders_) holding.insert(process);

  std::string buffer;
  for (const auto* process : hypervisors) {
    if (born_.contains(process->number) && (holding.contains(process->number) || !devices_came)) continue;
    born_[process->number] = process->born_ticks;
    const Descriptor folder(
        open(fmt::format("/proc/{}/fd", process->number).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const int number : meter::numbers_in_folder(folder.get())) {
      std::array<char, 64> target{};
      const ssize_t size =
          readlinkat(folder.get(), std::to_string(number).c_str(), target.data(), target.size());
      const std::string_view path(target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
      if (path.starts_with("/dev/tap")) {
        if (const auto index = meter::whole_number<std::uint32_t>(path.substr(8)))
          holders_[*index] = process->number;
      } else if (path == "/dev/net/tun") {
        const auto text = meter::read_once(
            AT_FDCWD, fmt::format("/proc/{}/fdinfo/{}", process->number, number).c_str(), buffer);
        const std::string_view name = text ? interface_of(*text) : std::string_view();
        for (const auto& link : links)
          if (link.name == name) holders_[link.index] = process->number;
      }
    }
  }
}

}  // namespace vtax::watch
