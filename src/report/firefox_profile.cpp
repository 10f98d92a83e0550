#include "report/firefox_profile.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/json_writer.h"
#include "core/readable.h"
#include "query/profile_stack.h"

namespace vtax {
namespace {

constexpr std::uint64_t kVersion = 70;
constexpr std::uint64_t kGeckoVersion = 36;

// Of those that the profiler knows.
const char* color_of(Layer layer) {
  switch (layer) {
    case Layer::hypervisor:
      return "red";
    case Layer::driver:
      return "orange";
    case Layer::kernel:
      return "blue";
    case Layer::program:
      return "green";
    case Layer::idle:
      return "transparent";
    case Layer::uncharged:
    case Layer::elsewhere:
      return "grey";
  }
  return "grey";
}

// The tables that all threads share; a frame and its function have the same place.
class Tables {
 public:
  // The stack of layer, image, callers and function.
  std::uint64_t stack(const FunctionCost& cost, std::span<const Caller> callers) {
    const auto names = stack_of(cost);
    const std::uint64_t category = category_of(cost.layer);
    const std::uint64_t layer = place(std::nullopt, frame(names[1], "", category));
    std::uint64_t above = place(layer, frame(names[2], "", category));
    for (const Caller& caller : callers)
      above = place(above, frame(printable(caller.function, 1000), printable(caller.image, 1000), category));
    return place(above, frame(names[3], names[2], category));
  }

  // The categories, by their places.
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }

  void write(JsonWriter& json) {
    json.key("shared").begin_object();
    json.key("stackTable").begin_object().key("frame").begin_array();
    for (const Stack& s : stacks_) json.value(s.frame);
    json.end_array().key("prefixOffset").begin_array();
    for (std::size_t i = 0; i < stacks_.size(); ++i)
      json.value(stacks_[i].parent ? i - *stacks_[i].parent : std::uint64_t{0});
    json.end_array().field("length", std::uint64_t{stacks_.size()}).end_object();

    json.key("frameTable").begin_object();
    column(json, "func", [&](std::size_t i) { json.value(std::uint64_t{i}); });
    column(json, "category", [&](std::size_t i) { json.value(frames_[i].category); });
    for (const char* name : {"address", "lib"}) column(json, name, [&](std::size_t) { json.raw("-1"); });
    for (const char* name : {"inlineDepth", "subcategory"})
      column(json, name, [&](std::size_t) { json.value(std::uint64_t{0}); });
    for (const char* name : {"nativeSymbol", "innerWindowID", "line", "column", "originalLocation"})
      column(json, name, [&](std::size_t) { json.null(); });
    json.field("length", std::uint64_t{frames_.size()}).end_object();

    json.key("funcTable").begin_object();
    column(json, "name", [&](std::size_t i) { json.value(frames_[i].name); });
    column(json, "resource", [&](std::size_t i) {
      if (frames_[i].resource) {
        json.value(*frames_[i].resource);
      } else {
        json.raw("-1");
      }
    });
    for (const char* name : {"isJS", "relevantForJS"})
      column(json, name, [&](std::size_t) { json.value(false); });
    for (const char* name : {"source", "lineNumber", "columnNumber", "originalLocation"})
      column(json, name, [&](std::size_t) { json.null(); });
    json.field("length", std::uint64_t{frames_.size()}).end_object();

    json.key("resourceTable").begin_object().field("length", std::uint64_t{resources_.size()});
    json.key("name").begin_array();
    for (const std::uint64_t name : resources_) json.value(name);
    json.end_array().key("host").begin_array();
    for (std::size_t i = 0; i < resources_.size(); ++i) json.null();
    json.end_array().key("type").begin_array();
    for (std::size_t i = 0; i < resources_.size(); ++i) json.value(std::uint64_t{1});  // a library
    json.end_array().end_object();

    json.key("nativeSymbols").raw(R"({"libIndex":[],"address":[],"name":[],"functionSize":[],"length":0})");
    json.key("sources").raw(
        R"({"length":0,"id":[],"filename":[],"startLine":[],"startColumn":[],"sourceMapURL":[],"content":[]})");
    json.key("sourceLocationTable").raw(R"({"source":[],"line":[],"column":[],"length":0})");
    json.key("stringArray").begin_array();
    for (const std::string* text : strings_) json.value(*text);
    json.end_array().end_object();
  }

 private:
  struct Frame {
    std::uint64_t name, category;
    std::optional<std::uint64_t> resource;
  };
  struct Stack {
    std::optional<std::uint64_t> parent;
    std::uint64_t frame;
  };

  std::uint64_t category_of(Layer layer) {
    const auto found = std::find(layers_.begin(), layers_.end(), layer);
    const auto place = static_cast<std::uint64_t>(found - layers_.begin());
    if (found == layers_.end()) layers_.push_back(layer);
    return place;
  }

  template <class Write>
  void column(JsonWriter& json, const char* name, Write write) {
    json.key(name).begin_array();
    for (std::size_t i = 0; i < frames_.size(); ++i) write(i);
    json.end_array();
  }

  std::uint64_t string(const std::string& text) {
    const auto [place, is_new] = string_places_.emplace(text, strings_.size());
    if (is_new) strings_.push_back(&place->first);
    return place->second;
  }

  std::uint64_t frame(const std::string& name, const std::string& image, std::uint64_t category) {
    const auto [place, is_new] = frame_places_.emplace(std::tuple(name, image, category), frames_.size());
    if (!is_new) return place->second;
    Frame made{string(name), category, {}};
    if (!image.empty()) {
      const auto [resource, first] = resource_places_.emplace(image, resources_.size());
      if (first) resources_.push_back(string(image));
      made.resource = resource->second;
    }
    frames_.push_back(made);
    return place->second;
  }

  std::uint64_t place(std::optional<std::uint64_t> parent, std::uint64_t frame) {
    const auto [place, is_new] = stack_places_.emplace(std::pair(parent, frame), stacks_.size());
    if (is_new) stacks_.push_back({parent, frame});
    return place->second;
  }

  std::vector<Layer> layers_;
  std::vector<const std::string*> strings_;
  std::map<std::string, std::uint64_t> string_places_, resource_places_;
  std::vector<std::uint64_t> resources_;  // names
  std::vector<Frame> frames_;
  std::map<std::tuple<std::string, std::string, std::uint64_t>, std::uint64_t> frame_places_;
  std::vector<Stack> stacks_;
  std::map<std::pair<std::optional<std::uint64_t>, std::uint64_t>, std::uint64_t> stack_places_;
};

struct Domain {
  std::string name;
  std::vector<std::uint64_t> stacks, weights;
};

void write_meta(JsonWriter& json, const Profile& profile, const std::vector<Layer>& layers) {
  json.key("meta")
      .begin_object()
      .field("version", kGeckoVersion)
      .field("preprocessedProfileVersion", kVersion);
  json.field("interval", std::uint64_t{1})
      .field("startTime", std::uint64_t{0})
      .field("processType", std::uint64_t{0});
  json.field("product", "vtax: " + printable(profile.study, 100) + ": " + profile.title);
  json.field("importedFrom", "vtax " VTAX_VERSION)
      .field("stackwalk", std::uint64_t{1})
      .field("symbolicated", true);
  json.field("usesOnlyOneStackType", true).field("sourceCodeIsNotOnSearchfox", true);
  json.key("markerSchema").begin_array().end_array().key("categories").begin_array();
  for (const Layer layer : layers) {
    json.begin_object().field("name", name(layer)).field("color", color_of(layer));
    json.key("subcategories").begin_array().value(std::string_view("Other")).end_array().end_object();
  }
  json.end_array().end_object();
}

void write_thread(JsonWriter& json, const Domain& domain, std::uint64_t place) {
  const std::uint64_t length = domain.stacks.size();
  json.line().begin_object().field("processType", "default").field("processStartupTime", std::uint64_t{0});
  json.key("processShutdownTime").null().field("registerTime", std::uint64_t{0}).key("unregisterTime").null();
  json.key("pausedRanges")
      .begin_array()
      .end_array()
      .field("name", domain.name)
      .field("processName", domain.name);
  json.field("isMainThread", true).field("pid", std::to_string(place + 1)).field("tid", place + 1);
  json.key("samples").begin_object().field("weightType", "samples").field("length", length);
  json.key("stack").begin_array();
  for (const std::uint64_t stack : domain.stacks) json.value(stack);
  json.end_array().key("weight").begin_array();
  for (const std::uint64_t weight : domain.weights) json.value(weight);
  json.end_array().key("time").begin_array();
  for (std::uint64_t i = 0; i < length; ++i) json.value(i);
  json.end_array().end_object();
  json.key("markers").raw(
      R"({"data":[],"name":[],"startTime":[],"endTime":[],"phase":[],"category":[],"length":0})");
  json.end_object();
}

}  // namespace

void write_firefox_profile(const Profile& profile, std::ostream& out) {
  Tables tables;
  std::vector<Domain> domains;
  for (std::size_t i = 0; i < profile.functions.size(); ++i) {
    const FunctionCost& cost = profile.functions[i];
    const std::string name = stack_of(cost)[0];
    auto domain =
        std::find_if(domains.begin(), domains.end(), [&](const Domain& d) { return d.name == name; });
    if (domain == domains.end()) domain = domains.insert(domains.end(), {name, {}, {}});
    domain->stacks.push_back(tables.stack(cost, callers_of(profile, i)));
    domain->weights.push_back(cost.instructions.value);
  }
  JsonWriter json(out);
  json.begin_object();
  write_meta(json, profile, tables.layers());
  json.key("libs").begin_array().end_array();
  tables.write(json);
  json.key("threads").begin_array();
  for (std::size_t i = 0; i < domains.size(); ++i) write_thread(json, domains[i], i);
  json.end_array().end_object();
  json.flush();
  out << '\n';
}

}  // namespace vtax
