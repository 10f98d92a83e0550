#include "report/pprof.h"

#include <zlib.h>

#include <map>
#include <new>
#include <vector>

#include "core/harmless.h"
#include "query/profile_stack.h"
#include "report/protobuf_writer.h"

namespace vtax {
namespace {

// Field numbers of profile.proto.
namespace field {
constexpr std::uint32_t kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5,
                        kStringTable = 6;
constexpr std::uint32_t kPeriodType = 11, kPeriod = 12, kComment = 13, kDefaultSampleType = 14;
}  // namespace field

class PprofMessage {
 public:
  explicit PprofMessage(const Profile& profile) {
    string("");
    const std::uint64_t unit = string(profile.unit);
    ProtobufWriter type;
    type.number(1, unit);
    type.number(2, string("count"));
    message_.message(field::kSampleType, type);
    for (std::size_t i = 0; i < profile.functions.size(); ++i)
      add(profile.functions[i], callers_of(profile, i));
    message_.message(field::kPeriodType, type);
    message_.number(field::kPeriod, 1);
    message_.number(field::kComment, string(profile.study + ": " + profile.title));
    message_.number(field::kDefaultSampleType, unit);
    for (const std::string* text : strings_) message_.bytes(field::kStringTable, *text);
  }

  [[nodiscard]] const std::string& text() const { return message_.text(); }

 private:
  void add(const FunctionCost& cost, std::span<const Caller> callers) {
    const auto stack = stack_of(cost);
    ProtobufWriter locations;
    // From the innermost out. What groups the functions is no part of a file.
    locations.packed(location(stack[3], stack[2]));
    for (std::size_t i = callers.size(); i-- > 0;)
      locations.packed(location(callers[i].function, callers[i].image));
    for (std::size_t i = 3; i-- > 0;) locations.packed(location(stack[i], ""));
    ProtobufWriter sample;
    sample.bytes(1, locations.text());
    sample.number(2, cost.instructions.value);
    message_.message(field::kSample, sample);
  }

  std::uint64_t location(const std::string& function, const std::string& image) {
    const auto [place, is_new] = functions_.emplace(std::pair(function, image), functions_.size() + 1);
    const std::uint64_t id = place->second;
    if (!is_new) return id;
    ProtobufWriter made, line, at;
    made.number(1, id);
    made.number(2, string(function));
    made.number(3, string(function));
    made.number(4, string(image));
    message_.message(field::kFunction, made);
    line.number(1, id);
    at.number(1, id);
    if (!image.empty()) at.number(2, mapping(image));
    at.message(4, line);
    message_.message(field::kLocation, at);
    return id;
  }

  std::uint64_t mapping(const std::string& image) {
    const auto [place, is_new] = mappings_.emplace(image, mappings_.size() + 1);
    if (!is_new) return place->second;
    ProtobufWriter made;
    made.number(1, place->second);
    made.number(5, string(image));
    made.number(7, 1);  // has_functions: there is nothing to look up
    message_.message(field::kMapping, made);
    return place->second;
  }

  std::uint64_t string(const std::string& text) {
    const auto [place, is_new] = places_.emplace(printable_text(text), strings_.size());
    if (is_new) strings_.push_back(&place->first);
    return place->second;
  }

  ProtobufWriter message_;
  std::map<std::string, std::uint64_t> places_, mappings_;
  std::vector<const std::string*> strings_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> functions_;
};

std::string gzipped(const std::string& text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // the largest window, with gzip's head
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;  // zlib takes no const
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);  // the bound is enough, so once is
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

std::string pprof_message(const Profile& profile) {
  return PprofMessage(profile).text();
}

void write_pprof(const Profile& profile, std::ostream& out) {
  out << gzipped(pprof_message(profile));
}

}  // namespace vtax
