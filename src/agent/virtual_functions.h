#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/json_fields.h"
#include "core/result.h"
#include "workload/traffic/endpoint_client.h"

// A card with virtual functions (SR-IOV), one for each guest: the driver domain makes and gives them, and the
// card switches. Nothing of it is there before a trial wants it: QEMU does not save a function's state.
namespace vtax::agent {

// The card by its PCI name, "0000:00:04.0"; nothing: this machine has none.
[[nodiscard]] std::optional<std::string> card_with_functions();

// In the driver domain: the card's driver, and that of who gives functions away. Error: the kernel has none.
[[nodiscard]] Result<> load_card_with_functions();

// Makes a function for each guest, with its address (wiring::second_mac), and has it given. `card` is the
// card's network device; it is up and has its carrier afterwards.
[[nodiscard]] Result<> give_functions(
    int guests, const std::string& card,
    const std::function<Result<>(int guest, const std::string& device)>& give);

// The guest's network device of its function, up, with address and the way to the peer.
[[nodiscard]] Result<std::string> take_function(EndpointClient& client, int guest);

// What its agent obeys, "function" (second_device.h).
[[nodiscard]] Result<nlohmann::json> obey_function(const JsonFields& order);

}  // namespace vtax::agent
