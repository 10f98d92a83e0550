#pragma once

#include <cstdint>
#include <optional>

#include "core/json_fields.h"
#include "core/result.h"

namespace vtax::iperf3 {

// iperf3 writes every number as its JSON library likes, 1e+12 too, and leaves out what is zero. A number that
// is absent is nothing; one that is negative, broken, no number or above `most` is an error.
[[nodiscard]] Result<std::optional<std::uint64_t>> whole_number(const JsonFields& fields, const char* key,
                                                                std::uint64_t most);
[[nodiscard]] Result<std::optional<double>> real_number(const JsonFields& fields, const char* key,
                                                        double least, double most);
// True where the key is there and is neither false nor 0.
[[nodiscard]] bool is_set(const JsonFields& fields, const char* key);

}  // namespace vtax::iperf3
