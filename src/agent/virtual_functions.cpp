#include "agent/virtual_functions.h"

#include <fmt/format.h>

#include <filesystem>

#include "agent/kernel_modules.h"
#include "agent/lab_layout.h"
#include "agent/second_device.h"
#include "core/kernel_file.h"
#include "platform/card_rings.h"
#include "platform/links.h"
#include "platform/wiring.h"

namespace vtax::agent {
namespace {

namespace fs = std::filesystem;

constexpr char kPciDevices[] = "/sys/bus/pci/devices";

}  // namespace

std::optional<std::string> card_with_functions() {
  std::error_code error;
  for (const auto& device : fs::directory_iterator(kPciDevices, error))
    if (fs::exists(device.path() / "sriov_totalvfs", error)) return device.path().filename().string();
  return std::nullopt;
}

Result<> load_card_with_functions() {
  if (Result<> loaded = load_modules(lab::kFunctionModulesFile); !loaded) return loaded;
  if (fs::exists("/sys/bus/pci/drivers/igb")) return {};
  return fail(Error{"give guests functions of a card", "the driver domain's kernel has no driver igb",
                    "build it with CONFIG_IGB and CONFIG_IGBVF, as modules", ExitCode::trial_failed});
}

Result<> give_functions(int guests, const std::string& card,
                        const std::function<Result<>(int guest, const std::string& device)>& give) {
  Result<Links> links = Links::open();
  if (!links) return fail(links.error());
  const auto name = card_with_functions();
  if (!name)
    return fail(
        Error{"give guests functions of a card", "this machine's card has none", "", ExitCode::trial_failed});
  const fs::path place = fs::path(kPciDevices) / *name;
  Result<> done = links->set_up(card);
  if (done) done = links->wait_until_running(card, wiring::kCarrierLimit);
  if (done) done = write_kernel_file(place / "sriov_numvfs", std::to_string(guests));
  for (int guest = 1; guest <= guests && done; ++guest)
    done = links->set_function_mac(card, static_cast<unsigned>(guest - 1), wiring::second_mac(guest));
  for (int guest = 1; guest <= guests && done; ++guest) {
    std::error_code error;
    const fs::path function = fs::canonical(place / fmt::format("virtfn{}", guest - 1), error);
    if (error) return fail(system_error("cannot find a function of the card " + card, error.value()));
    done = give(guest, function.filename().string());
  }
  if (done) done = links->wait_until_running(card, wiring::kCarrierLimit);
  return done;
}

Result<std::string> take_function(EndpointClient& client, int guest) {
  return take_second_device(client, "function", guest);
}

Result<nlohmann::json> obey_function(const JsonFields& order) {
  if (Result<> loaded = load_modules(lab::kFunctionModulesFile); !loaded) return fail(loaded.error());
  return obey_second_device(order, deepen_rings);
}

}  // namespace vtax::agent
