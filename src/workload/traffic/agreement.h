#pragma once

#include <cstdint>

#include "core/result.h"
#include "workload/traffic/flow.h"

namespace vtax {

// At the end of its work each side tells the other what it counted, over the flow's stream: nobody reports
// work that the other has not seen.
struct Totals {
  std::uint64_t bytes = 0, messages = 0;
  bool operator==(const Totals&) const = default;
};

[[nodiscard]] Result<> send_totals(const Flow& flow, const FlowTask& task, const Totals& totals);
[[nodiscard]] Result<Totals> receive_totals(const Flow& flow, const FlowTask& task);

// The receiver of a stream that the responder sends asks for it to begin; one byte.
[[nodiscard]] Result<> send_go(const Flow& flow, const FlowTask& task);
[[nodiscard]] Result<> await_go(const Flow& flow, const FlowTask& task);

[[nodiscard]] Error disagreement(std::string_view work, const Totals& here, const Totals& there);

}  // namespace vtax
