#pragma once

#include <string_view>

#include "query/varying_factors.h"

// What is known of a cell's work before it is measured: how far cells are from each other goes by this, and
// not by what a study calls them.
namespace vtax::predict {

// The cell's factors, and
//   "virtualisation"     who runs its guests: "none", "xen", "kvm", "program"
//   "direction", "offloads"   replaced by "one kernel" where both ends are in one: sending is receiving, and
//   no
//                        card joins anything
//   "merged_on_receipt"  streams: whether a card's kernel joins packets before the stack sees them (GRO)
//   "short_writes"       streams: whether a write is less than a packet, so that the sender may wait for more
//   "segments"           what the sender's stack is asked to make: of streams for each MiB, of exchanges for
//                        each of them; with offloads up to 64 KiB each, without a packet's payload
[[nodiscard]] Factors with_traits(const Factors& cell);

[[nodiscard]] bool is_numeric_trait(std::string_view name);

}  // namespace vtax::predict
