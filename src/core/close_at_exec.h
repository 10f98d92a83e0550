#pragma once

namespace vtax {

// Marks all of this process's descriptors from 3 on, whoever opened them, so that the next execve closes
// them. False, with errno: some may be left, and what is started must not be trusted with them.
[[nodiscard]] bool close_all_at_exec();

}  // namespace vtax
