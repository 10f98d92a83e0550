#include "report/palette.h"

#include "report/page_asset.h"
#include "subject/platform_table.h"

namespace vtax {

std::string_view paint_of(std::string_view platform) {
  return platform_named(platform) ? platform : "other";
}

// The first rule of page.css is that of light ground.
std::string_view light_color(std::string_view paint) {
  const std::string_view css = page_asset("page.css");
  const std::string name = "--" + std::string(paint) + ": ";
  const std::size_t from = css.find(name) + name.size();
  return css.substr(from, css.find(';', from) - from);
}

}  // namespace vtax
