#pragma once

#include <array>
#include <cstdint>

#include "record/trial.h"

namespace vtax {

inline constexpr std::array<Layer, 6> kLayers{Layer::hypervisor, Layer::driver, Layer::kernel,
                                              Layer::program,    Layer::idle,   Layer::uncharged};

using LayerCosts = std::array<std::uint64_t, kLayers.size()>;  // instructions, by Layer

}  // namespace vtax
