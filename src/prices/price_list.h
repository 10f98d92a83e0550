#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "record/trial.h"

// What a processor takes for what the lab counts. Instructions are not time: a trap takes longer than its
// instructions, a byte from memory longer than one from a cache. docs/prices.md has the file's form.
namespace vtax::prices {

// Nanoseconds; of an event what it takes besides the instructions that it executes.
struct Price {
  double ns = 0;
  double error = 0;  // relative: the price may be so much less or more
  std::string source;

  bool operator==(const Price&) const = default;
};

struct PriceList {
  std::string processor;
  std::map<Layer, Price> instructions;  // of a layer's
  std::map<std::string, Price> events;  // by the ledger's kind: "vm_exits", "bytes_copied", "l3_misses"
  std::map<std::string, std::string> not_known{};  // what could not be priced, and why

  bool operator==(const PriceList&) const = default;
};

// Layers that work: idle loops take no time that anybody lacks, and nobody knows whose `uncharged` is.
[[nodiscard]] bool has_price(Layer layer);

// Kinds of events that a price may be for.
[[nodiscard]] const std::vector<std::string_view>& priced_events();

// `shown_name` names the text in errors. Errors: usage, with line, column, key and what is allowed; a file of
// a newer version; prices in cycles without the processor's GHz.
[[nodiscard]] Result<PriceList> parse_prices(std::string_view text, std::string_view shown_name);
[[nodiscard]] Result<PriceList> read_prices(const std::filesystem::path& file);

// A file that parse_prices takes, in nanoseconds.
[[nodiscard]] std::string text_of(const PriceList& prices);

}  // namespace vtax::prices
