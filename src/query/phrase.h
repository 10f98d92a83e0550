#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/cell.h"

// Factors in words.
namespace vtax {

// "receiving", "card", "64 KiB writes", "offloads off"; a factor without words of its own is "name value".
// Foreign text is made printable.
[[nodiscard]] std::string phrase(const std::string& workload, const std::string& factor,
                                 const std::string& value);

// "receiving, card, offloads off, 64 KiB writes": the factors that are in `shown`, in the order in which
// people think of them; "" when there are none. Platform and workload are never part of it, nor is a usual
// value of a factor of placement: what is not told is as usual.
[[nodiscard]] std::string phrase(const Factors& factors, const std::set<std::string>& shown);

// The same with the workload before it.
[[nodiscard]] std::string full_phrase(const Factors& factors, const std::set<std::string>& shown);

// "xen-pv, tcp-stream, receiving": the platform before it, and behind it the variation of a perturbed
// machine.
[[nodiscard]] std::string trial_name(const Factors& factors, const std::set<std::string>& shown);

// What a unit of the workload's work is called: a "transaction" of compile is a compile, of cpu-loop a round.
[[nodiscard]] std::string_view noun(Unit unit, const std::string& workload);
[[nodiscard]] std::string with_article(std::string_view noun);  // "a KB", "an operation"

// By what the comparisons' costs may be given, in the order in which reports show it: KB, packet, then the
// rest.
[[nodiscard]] std::vector<std::pair<Unit, std::string_view>> nouns_of(
    const std::vector<Comparison>& comparisons);

// "always 8 MiB, warmup 1 MiB": of a workload's cells what is the same in all, of which `factors` is one; ""
// for nothing worth a word.
[[nodiscard]] std::string constants_text(const Factors& factors, const std::set<std::string>& varying);

// "0.12 %", "<0.01 %", "0 %".
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole);

// Whether a factor of placement has the value that it has wherever nothing else is asked for (the catalogue's
// default): not worth a word where constants are named.
[[nodiscard]] bool is_usual(const std::string& factor, const std::string& value);

}  // namespace vtax
