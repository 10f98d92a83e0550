#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vtax {

// The candidate nearest to `word` in edit distance (insert, delete, replace, swap of neighbours), or "" when
// none is near: the distance may be at most a third of the shorter of the two, and 1 where that is less. What
// all of them begin with, such as an option's dashes, is no likeness and does not count.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

// "did you mean 'platform'?", or without a near candidate "allowed: a, b, c".
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace vtax
