#pragma once

namespace vtax::agent {

// vtax as PID 1 of a lab image: native machine, Xen's Domain-0 or guest, as /lab/role says. Never returns
// while the machine runs; it ends by switching the machine off.
[[nodiscard]] int run_as_init();

}  // namespace vtax::agent
