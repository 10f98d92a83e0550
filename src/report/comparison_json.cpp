#include "report/comparison_json.h"

#include "core/json_writer.h"
#include "report/comparison_words.h"

namespace vtax {
namespace {

void write_change(JsonWriter& json, const Change& change) {
  json.field("name", change.name).field("before", change.before).field("after", change.after);
}

void write_changes(JsonWriter& json, const CellChange& cell) {
  json.key("layers").begin_array();
  for (const Change& change : cell.layers) {
    json.begin_object();
    write_change(json, change);
    json.end_object();
  }
  json.end_array().key("functions").begin_array();
  for (const FunctionChange& change : cell.functions) {
    json.begin_object();
    write_change(json, change);
    json.key("calls_before");
    change.calls_before ? json.value(*change.calls_before) : json.null();
    json.key("calls_after");
    change.calls_after ? json.value(*change.calls_after) : json.null();
    json.end_object();
  }
  json.end_array();
}

void write_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names) {
  json.key(key).begin_array();
  for (const std::string& name : names) json.value(name);
  json.end_array();
}

}  // namespace

void write_comparison(JsonWriter& json, const RunComparison& comparison) {
  json.begin_object().field("schema", std::uint64_t{1});
  write_names(json, "context", comparison.context);
  json.key("cells").begin_array();
  for (const CellChange& cell : comparison.cells) {
    json.line().begin_object().key("factors").begin_object();
    for (const auto& [name, value] : cell.factors) json.field(name, value);
    json.end_object()
        .field("unit", cell.unit())
        .field("unit_name", unit_noun(cell))
        .field("before_per_unit", cell.before_per_unit());
    json.field("after_per_unit", cell.after_per_unit()).key("relative");
    if (const auto relative = cell.relative()) {
      json.value(*relative);
    } else {
      json.null();
    }
    json.field("identical", cell.is_identical).field("shown", cell.is_shown());
    const auto number = [&json](std::string_view key, std::optional<double> value) {
      json.key(key);
      value ? json.value(*value) : json.null();
    };
    number("p", cell.samples.p);
    number("cliffs_delta", cell.samples.delta);
    json.field("too_few", cell.samples.is_too_few);
    for (const auto& [key, range] :
         {std::pair("ratio", cell.ratio), std::pair("sensitivity_before", cell.sensitivity_before),
          std::pair("sensitivity_after", cell.sensitivity_after)}) {
      json.key(key);
      range ? json.begin_array().value(range->low).value(range->high).end_array() : json.null();
    }
    write_changes(json, cell);
    json.end_object();
  }
  json.end_array();
  write_names(json, "only_before", comparison.only_before);
  write_names(json, "only_after", comparison.only_after);
  write_names(json, "failed_after", comparison.failed_after);
  write_names(json, "partly_failed_after", comparison.partly_failed_after);
  json.field("not_run_before", comparison.not_run_before).field("not_run_after", comparison.not_run_after);
  json.end_object();
}

void write_comparison_json(const RunComparison& comparison, std::ostream& out) {
  JsonWriter json(out);
  write_comparison(json, comparison);
  json.flush();
  out << '\n';
}

}  // namespace vtax
