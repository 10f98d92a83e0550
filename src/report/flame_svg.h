#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/trial.h"
#include "report/svg_picture.h"

namespace vtax {

// One platform's window, by function.
struct Flame {
  std::string title;                    // "xen-pv: 16,850, ×5.80"
  std::vector<FunctionCost> functions;  // they add up to the width
  double per_instruction = 1;           // what one instruction of the window is in the picture's quantity
};

// A flame graph below the other, all on one scale: what is wide costs much, and xen-pv's is as much wider
// than native's as it costs more. From the top: domain, layer, image, function, the dearest first; what is
// narrower than two pixels is one box, the last. Nothing where no function is known.
[[nodiscard]] std::optional<std::string> flame_svg(const std::vector<Flame>& flames, std::string_view title,
                                                   std::string_view quantity, double width,
                                                   SvgPicture::Use use);

}  // namespace vtax
