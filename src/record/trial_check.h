#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "record/trial.h"

namespace vtax {

// What must hold of every trial, before it is written and after it is read; the error is one sentence in
// `why`. Of a finished trial: the ledger's instructions and, where there are any, the functions' add up to
// machine_total exactly; the digest is a SHA-256; every count fits in 63 bits. Of every trial: platform and
// workload are named, the repetition is 1..1000, texts are UTF-8.
[[nodiscard]] Result<> check(const Trial& trial);

// "" or a JSON object not nested deeper than 64.
[[nodiscard]] bool is_json_object(std::string_view text);

}  // namespace vtax
