#pragma once

#include <string>
#include <string_view>

// The colours of pictures, by name. They stand in page/page.css, which the page and every figure share.
namespace vtax {

// What a platform is painted with: its own name, or "other" for one that this version does not know (names in
// run files are foreign text).
[[nodiscard]] std::string_view paint_of(std::string_view platform);

// "#e0962c": of a layer, a platform, "ink", "quiet", "line" or "panel", on light ground. The name is one of
// page.css.
[[nodiscard]] std::string_view light_color(std::string_view paint);

}  // namespace vtax
