#pragma once

#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// Starts a program with exactly the descriptors in `inherited` (same numbers) and the given standard output
// and error. It dies with the calling thread. Gives its process id.
[[nodiscard]] Result<int> start_process(const Qemu& qemu, const std::vector<std::string>& arguments,
                                        const std::vector<int>& inherited, int output);

// An anonymous file with this content, positioned at its start; not inherited unless asked for.
[[nodiscard]] Result<Descriptor> anonymous_file(const char* name, const std::string& content);

struct Pipe {
  Descriptor read, write;
};
[[nodiscard]] Result<Pipe> make_pipe();

}  // namespace vtax::lab
