#pragma once

#include "cli/verb.h"

namespace vtax {

// The generators that need a partner, `vtax workload server` on the other side.
[[nodiscard]] Verb tcp_stream_verb();
[[nodiscard]] Verb udp_stream_verb();
[[nodiscard]] Verb tcp_rr_verb();
[[nodiscard]] Verb udp_rr_verb();
[[nodiscard]] Verb tcp_crr_verb();
[[nodiscard]] Verb paced_verb();
[[nodiscard]] Verb server_verb();

}  // namespace vtax
