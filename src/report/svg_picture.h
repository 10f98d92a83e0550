#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vtax {

// A picture of boxes, lines and texts as SVG 1.1, in pixels from the upper left corner. The same calls give
// the same bytes: coordinates have one decimal, and texts are measured by their number of characters. Foreign
// text is escaped. Colours are names (palette.h).
class SvgPicture {
 public:
  enum class Align { left, middle, right };
  struct Font {
    Align align = Align::left;
    std::string_view paint = "ink";
    double size = 12;
    bool is_bold = false;
  };
  // A file of its own on white ground; or a part of the page, which has rules for the classes "f-PAINT"
  // (fill) and "s-PAINT" (stroke), so that it is right on dark ground and on paper too.
  enum class Use { file, page };

  explicit SvgPicture(double width) : width_(width) {}

  // `title` is what a pointer that rests on it is told; "" for none.
  void box(double x, double y, double width, double height, std::string_view paint,
           std::string_view title = "");
  void dot(double x, double y, std::string_view paint, std::string_view title = "");
  void line(double x1, double y1, double x2, double y2, std::string_view paint, double thickness = 1,
            bool is_dashed = false);
  void polyline(const std::vector<std::pair<double, double>>& points, std::string_view paint);
  // From `x1` to `x2` with an end at each, or from `y1` to `y2`: an interval.
  void whisker(double x1, double y1, double x2, double y2, std::string_view paint);
  void text(double x, double y, std::string_view text, const Font& font);
  void text(double x, double y, std::string_view words) { text(x, y, words, Font{}); }

  [[nodiscard]] double width() const { return width_; }

  // `label` says in words what the picture shows.
  [[nodiscard]] std::string finish(double height, Use use, std::string_view label) const;

  // About how wide a text is; the widest usual sans-serif (DejaVu Sans) is no wider on average.
  [[nodiscard]] static double text_width(std::string_view text, double size = 12);

  // The text, or its beginning and "…" where it is wider.
  [[nodiscard]] static std::string fitted(std::string_view text, double width, double size = 12);

 private:
  void close(std::string_view element, std::string_view title);

  double width_;
  std::string body_;
};

}  // namespace vtax
