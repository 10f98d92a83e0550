#include "report/svg_picture.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/harmless.h"
#include "core/readable.h"
#include "report/html_table.h"
#include "report/palette.h"

namespace vtax {
namespace {

constexpr double kCharacterWidth = 0.58;  // of a font's size

// "12", "12.5": one decimal at most.
std::string number(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string fill(std::string_view paint) {
  return fmt::format("class=\"f-{0}\" fill=\"{1}\"", paint, light_color(paint));
}

std::string stroke(std::string_view paint, double thickness) {
  return fmt::format("class=\"s-{0}\" fill=\"none\" stroke=\"{1}\" stroke-width=\"{2}\"", paint,
                     light_color(paint), number(thickness));
}

}  // namespace

void SvgPicture::close(std::string_view element, std::string_view title) {
  body_ += title.empty() ? std::string("/>\n")
                         : fmt::format("><title>{}</title></{}>\n", escaped_html(title), element);
}

void SvgPicture::box(double x, double y, double width, double height, std::string_view paint,
                     std::string_view title) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}", number(x), number(y),
                       number(width), number(height), fill(paint));
  close("rect", title);
}

void SvgPicture::dot(double x, double y, std::string_view paint, std::string_view title) {
  body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"4.5\" {}", number(x), number(y), fill(paint));
  close("circle", title);
}

void SvgPicture::line(double x1, double y1, double x2, double y2, std::string_view paint, double thickness,
                      bool is_dashed) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}{}/>\n", number(x1), number(y1),
                       number(x2), number(y2), stroke(paint, thickness),
                       is_dashed ? " stroke-dasharray=\"4 3\"" : "");
}

void SvgPicture::polyline(const std::vector<std::pair<double, double>>& points, std::string_view paint) {
  std::string places;
  for (const auto& [x, y] : points)
    places += fmt::format("{}{},{}", places.empty() ? "" : " ", number(x), number(y));
  body_ += fmt::format("<polyline points=\"{}\" {}/>\n", places, stroke(paint, 2));
}

void SvgPicture::whisker(double x1, double y1, double x2, double y2, std::string_view paint) {
  constexpr double kEnd = 4;
  const bool is_flat = y1 == y2;
  const double dx = is_flat ? 0 : kEnd, dy = is_flat ? kEnd : 0;
  body_ += fmt::format("<path d=\"M{0} {1}H{2}V{3}M{4} {5}H{6}V{7}M{8} {9}L{10} {11}\" {12}/>\n",
                       number(x1 - dx), number(y1 - dy), number(x1 + dx), number(y1 + dy), number(x2 - dx),
                       number(y2 - dy), number(x2 + dx), number(y2 + dy), number(x1), number(y1), number(x2),
                       number(y2), stroke(paint, 1.5));
}

void SvgPicture::text(double x, double y, std::string_view text, const Font& font) {
  const std::string_view anchor = font.align == Align::left     ? ""
                                  : font.align == Align::middle ? " text-anchor=\"middle\""
                                                                : " text-anchor=\"end\"";
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}{} {}>{}</text>\n", number(x), number(y),
                       number(font.size), anchor, font.is_bold ? " font-weight=\"600\"" : "",
                       fill(font.paint), escaped_html(text));
}

std::string SvgPicture::finish(double height, Use use, std::string_view label) const {
  const std::string size = fmt::format("{} {}", number(width_), number(height));
  const std::string name = escaped_html(label);
  if (use == Use::page)
    return fmt::format(
        "<svg class=\"figure\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {}\" role=\"img\" "
        "aria-label=\"{}\" font-family=\"sans-serif\" width=\"{}\" height=\"{}\">\n{}</svg>\n",
        size, name, number(width_), number(height), body_);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {}\" role=\"img\" "
      "aria-label=\"{}\" font-family=\"Helvetica, Arial, sans-serif\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
      number(width_), number(height), size, name, body_);
}

double SvgPicture::text_width(std::string_view text, double size) {
  return kCharacterWidth * size * static_cast<double>(columns(text));
}

std::string SvgPicture::fitted(std::string_view text, double width, double size) {
  if (text_width(text, size) <= width) return std::string(text);
  const auto room = static_cast<std::size_t>(std::max(1.0, width / (kCharacterWidth * size)));
  std::string out;
  for (std::size_t taken = 1; taken < room && !text.empty(); ++taken) {
    const std::size_t size_of_one = std::max<std::size_t>(1, character_size(text));
    out += text.substr(0, size_of_one);
    text.remove_prefix(size_of_one);
  }
  return out + "…";
}

}  // namespace vtax
