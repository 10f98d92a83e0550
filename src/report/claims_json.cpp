#include "report/claims_json.h"

#include <fmt/format.h>

#include "report/verdict.h"

namespace vtax {
namespace {

void write_limit(JsonWriter& json, std::string_view key, std::optional<double> limit) {
  json.key(key);
  if (limit) {
    json.value(*limit);
  } else {
    json.null();
  }
}

void write_claim(JsonWriter& json, const Published& published, const JudgedClaim& judged) {
  const Claim& claim = *judged.claim;
  json.line().begin_object().field("id", claim.id).field("says", claim.says).field("paper", published.paper);
  json.field("source", claim.source).field("published_machine", claim.machine);
  json.field("quantity", claim.quantity).field("unit", claim.unit).key("published").begin_array();
  for (const double value : claim.published) json.value(value);
  json.end_array().field("published_text", published_figure(claim));
  write_limit(json, "measured", judged.measured);
  json.key("interval");
  judged.interval ? json.begin_array().value(judged.interval->low).value(judged.interval->high).end_array()
                  : json.null();
  write_limit(json, "at_least", claim.test ? claim.test->at_least : std::nullopt);
  write_limit(json, "at_most", claim.test ? claim.test->at_most : std::nullopt);
  json.field("verdict", name(judged.verdict)).field("reason", judged.reason).end_object();
}

}  // namespace

void write_claims(JsonWriter& json, const Run& header, const RunCosts& costs) {
  const auto published = published_of(header);
  json.key("claims").begin_array();
  if (published && *published) {
    for (const JudgedClaim& judged : judge(**published, header, costs))
      write_claim(json, **published, judged);
  }
  json.end_array();
  if (!published)
    json.field("claims_error", fmt::format("{}: {}", published.error().what, published.error().why));
}

}  // namespace vtax
