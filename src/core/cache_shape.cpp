#include "core/cache_shape.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <optional>
#include <vector>

#include "core/readable.h"
#include "core/size_text.h"

namespace vtax {
namespace {

constexpr std::uint64_t kMostCacheBytes = 1ULL << 30;
constexpr std::uint32_t kMostWays = 64, kLeastLine = 16, kMostLine = 256, kUsualLine = 64;

tl::unexpected<Error> no_caches(std::string_view text, std::string why) {
  return fail({fmt::format("'{}' describes no caches", printable(text)), std::move(why),
               "name some (epyc, xeon-mp), or write L1 of code, L1 of data, L2 and L3 as "
               "\"32KiB/8+32KiB/8+512KiB/8+16MiB/16\"",
               ExitCode::usage});
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '+')
      parts.emplace_back();
    else if (c != ' ')
      parts.back() += c;
  }
  return parts;
}

// The number at the front of `text`, which loses it.
std::optional<std::uint64_t> cache_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > kMostCacheBytes) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<CacheShape> cache_of(std::string_view text, std::uint32_t line) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto [bytes, fault] = parse_size(text.substr(0, slash));
  text.remove_prefix(slash + 1);
  const auto ways = cache_number(text);
  if (fault != ParsedSize::Fault::none || !ways || !text.empty() || *ways == 0 || *ways > kMostWays)
    return std::nullopt;
  if (bytes == 0 || bytes > kMostCacheBytes || bytes % (*ways * line) != 0) return std::nullopt;
  return CacheShape{bytes, static_cast<std::uint32_t>(*ways)};
}

std::string text_of(const CacheShape& cache) {
  if (cache.bytes % (1U << 20) == 0) return fmt::format("{}MiB/{}", cache.bytes >> 20, cache.ways);
  if (cache.bytes % (1U << 10) == 0) return fmt::format("{}KiB/{}", cache.bytes >> 10, cache.ways);
  return fmt::format("{}/{}", cache.bytes, cache.ways);
}

}  // namespace

const std::array<NamedCaches, 2>& named_caches() {
  static constexpr std::array<NamedCaches, 2> kAll{
      {{"epyc", "32KiB/8+32KiB/8+512KiB/8+16MiB/16", "AMD EPYC 7002, one core complex"},
       {"xeon-mp", "16KiB/8+8KiB/4+512KiB/8+2MiB/8", "Intel Xeon MP 2.80 GHz, 2003"}}};
  return kAll;
}

Result<CacheShapes> read_caches(std::string_view text) {
  for (const NamedCaches& named : named_caches())
    if (named.name == text) return read_caches(named.shapes);
  const std::vector<std::string> parts = parts_of(text);
  if (parts.size() != 4 && parts.size() != 5) return no_caches(text, "it has not four or five parts");
  CacheShapes out;
  if (parts.size() == 5) {
    std::string_view rest = parts[4];
    const auto line = cache_number(rest);
    if (!line || !rest.empty() || !std::has_single_bit(*line) || *line < kLeastLine || *line > kMostLine)
      return no_caches(text, "a line has 16, 32, 64, 128 or 256 bytes");
    out.line_bytes = static_cast<std::uint32_t>(*line);
  }
  for (const auto& [part, into] : {std::pair{0, &out.l1i}, {1, &out.l1d}, {2, &out.l2}, {3, &out.l3}}) {
    const auto cache = cache_of(parts[static_cast<std::size_t>(part)], out.line_bytes);
    if (!cache)
      return no_caches(text, fmt::format("'{}' is not a size of up to 1 GiB in whole sets of 1 to 64 ways",
                                         printable(parts[static_cast<std::size_t>(part)])));
    *into = *cache;
  }
  return out;
}

std::string text_of(const CacheShapes& caches) {
  std::string text = fmt::format("{}+{}+{}+{}", text_of(caches.l1i), text_of(caches.l1d), text_of(caches.l2),
                                 text_of(caches.l3));
  if (caches.line_bytes != kUsualLine) text += fmt::format("+{}", caches.line_bytes);
  return text;
}

}  // namespace vtax
