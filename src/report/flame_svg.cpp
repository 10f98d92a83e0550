#include "report/flame_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "core/readable.h"
#include "report/figure_axis.h"
#include "report/figure_svg.h"
#include "report/palette.h"

namespace vtax {
namespace {

constexpr double kEdge = 8, kFlameRow = 20, kTitleRow = 24;
constexpr std::size_t kDepth = 4;  // domain, layer, image, function

struct FlameBox {
  std::uint64_t instructions = 0;
  Layer layer = Layer::uncharged;
  std::map<std::string, FlameBox> children;
};

FlameBox tree_of(const std::vector<FunctionCost>& functions) {
  FlameBox whole;
  for (const FunctionCost& cost : functions) {
    FlameBox* at = &whole;
    const std::uint64_t instructions = cost.instructions.value;
    at->instructions += instructions;
    for (const std::string& name : std::array<std::string, kDepth>{
             cost.domain, std::string(vtax::name(cost.layer)), cost.image, cost.function}) {
      at = &at->children[name];
      at->instructions += instructions;
      at->layer = cost.layer;
    }
  }
  return whole;
}

std::vector<std::pair<std::string, const FlameBox*>> dearest_first(const FlameBox& box) {
  std::vector<std::pair<std::string, const FlameBox*>> children;
  for (const auto& [name, child] : box.children) children.emplace_back(name, &child);
  std::stable_sort(children.begin(), children.end(), [](const auto& a, const auto& b) {
    return a.second->instructions > b.second->instructions;
  });
  return children;
}

// White or black, whichever is read on that colour: by its luminance (ITU-R BT.709, of the coded values).
std::string_view ink_on(std::string_view paint) {
  const std::string_view color = light_color(paint);
  std::array<int, 3> rgb{};
  for (std::size_t i = 0; i < rgb.size() && color.size() == 7; ++i)
    std::from_chars(color.data() + 1 + 2 * i, color.data() + 3 + 2 * i, rgb[i], 16);
  const double luminance = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
  constexpr double kLight = 140;
  return luminance > kLight ? "ink" : "panel";
}

class FlamePainter {
 public:
  FlamePainter(SvgPicture& picture, std::string_view quantity, double pixels_of_one)
      : picture_(picture), quantity_(quantity), pixels_of_one_(pixels_of_one) {}

  void paint(const FlameBox& whole, double per_instruction, double top) {
    pixels_ = pixels_of_one_ * per_instruction;
    per_instruction_ = per_instruction;
    whole_ = static_cast<double>(whole.instructions);
    children(whole, kEdge, top, "");
  }

 private:
  void children(const FlameBox& parent, double from, double top, const std::string& path) {
    constexpr double kLeast = 2;
    std::uint64_t others = 0;
    std::size_t how_many = 0;
    for (const auto& [name, box] : dearest_first(parent)) {
      const double width = static_cast<double>(box->instructions) * pixels_;
      if (width < kLeast) {
        others += box->instructions;
        ++how_many;
        continue;
      }
      const std::string shown = printable(name, 200);
      const std::string place = path.empty() ? shown : path + " › " + shown;
      // A domain has several layers, and so no colour.
      draw(from, top, box->instructions, path.empty() ? "line" : vtax::name(box->layer), shown, place);
      children(*box, from, top + kFlameRow, place);
      from += width;
    }
    // What is left is the last, so that widths add up.
    if (static_cast<double>(others) * pixels_ < 0.5) return;
    const std::string shown = fmt::format("{} others", how_many);
    draw(from, top, others, "line", shown, path.empty() ? shown : path + " › " + shown);
  }

  void draw(double from, double top, std::uint64_t instructions, std::string_view paint,
            const std::string& shown, const std::string& place) {
    constexpr double kLeastWithText = 30;
    const double own = static_cast<double>(instructions), width = own * pixels_;
    picture_.box(from, top, std::max(width - 1, 0.5), kFlameRow - 2, paint,
                 fmt::format("{}: {} {}, {:.1f} %", place, readable(own * per_instruction_), quantity_,
                             100 * own / whole_));
    if (width > kLeastWithText)
      picture_.text(from + 4, top + 13, SvgPicture::fitted(shown, width - 8, 11),
                    {SvgPicture::Align::left, ink_on(paint), 11});
  }

  SvgPicture& picture_;
  std::string_view quantity_;
  double pixels_of_one_, pixels_ = 0, per_instruction_ = 0, whole_ = 0;
};

}  // namespace

std::optional<std::string> flame_svg(const std::vector<Flame>& flames, std::string_view title,
                                     std::string_view quantity, double width, SvgPicture::Use use) {
  std::vector<std::pair<const Flame*, FlameBox>> trees;
  double most = 0;
  for (const Flame& flame : flames) {
    FlameBox whole = tree_of(flame.functions);
    if (whole.instructions == 0) continue;
    most = std::max(most, static_cast<double>(whole.instructions) * flame.per_instruction);
    trees.emplace_back(&flame, std::move(whole));
  }
  if (trees.empty() || !std::isfinite(most)) return std::nullopt;
  SvgPicture picture(width);
  picture.text(kEdge, 18, SvgPicture::fitted(title, width - 2 * kEdge, 13),
               {SvgPicture::Align::left, "ink", 13, true});
  std::vector<std::pair<std::string, std::string_view>> entries;
  for (const Layer layer : kLayers)
    if (std::any_of(trees.begin(), trees.end(), [&](const auto& tree) {
          return std::any_of(tree.first->functions.begin(), tree.first->functions.end(),
                             [&](const FunctionCost& cost) { return cost.layer == layer; });
        }))
      entries.emplace_back(name(layer), name(layer));
  double y = draw_legend(picture, entries, kEdge, 40);
  LinearAxis axis;
  axis.from = kEdge;
  axis.to = width - kEdge - SvgPicture::text_width("1,000,000") / 2;
  axis.ticks = round_ticks(most, width > kNarrowFigureWidth ? 6 : 3);
  const double top = y;
  const double bottom = y + (kTitleRow + kDepth * kFlameRow + kEdge) * static_cast<double>(trees.size());
  draw_x_axis(picture, axis, top, bottom, quantity);
  FlamePainter painter(picture, quantity, axis.at(1) - axis.at(0));
  std::string label = fmt::format("flame graphs of {}, {}:", title, quantity);
  for (const auto& [flame, whole] : trees) {
    picture.text(kEdge, y + 16, flame->title, {SvgPicture::Align::left, "ink", 12, true});
    painter.paint(whole, flame->per_instruction, y + kTitleRow);
    label += fmt::format("{} {}", &whole == &trees.front().second ? "" : ",", flame->title);
    y += kTitleRow + kDepth * kFlameRow + kEdge;
  }
  return picture.finish(bottom + kAxisFoot + kEdge, use, label);
}

}  // namespace vtax
