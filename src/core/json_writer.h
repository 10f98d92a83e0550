#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <ostream>
#include <string_view>

namespace vtax {

// Writes JSON piece by piece, so that a run of any length needs no memory. Commas are its own affair; that
// brackets match and keys stand in objects is the caller's. '<' is written as \u003c everywhere: the output
// may stand inside a <script> element. Harmful characters (core/readable.h) of foreign text are escaped, so
// that a terminal can show the JSON; where a reader will show what the strings hold, they are replaced by
// '?'.
class JsonWriter {
 public:
  enum class Lines { several, one };

  enum class Harmful { escaped, replaced };

  // With Lines::one, no line ends anywhere in the output.
  explicit JsonWriter(std::ostream& out, Lines lines = Lines::several, Harmful harmful = Harmful::escaped)
      : out_(out), lines_(lines), harmful_(harmful) {}
  ~JsonWriter() { flush(); }
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(double number);  // null when not finite
  JsonWriter& value(bool truth);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // whole, valid JSON; "" is written as {}

  template <class Value>
  JsonWriter& field(std::string_view name, const Value& v) {
    return key(name).value(v);
  }
  JsonWriter& field(std::string_view name, const char* text) {
    return key(name).value(std::string_view(text));
  }

  // Begins a new line between two elements: for people who look into the file. Nothing with Lines::one.
  JsonWriter& line();

  void flush();

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void append_string(std::string_view text);
  void append_harmless(std::string_view text);

  std::ostream& out_;
  Lines lines_;
  Harmful harmful_;
  fmt::memory_buffer buffer_;
  bool needs_comma_ = false;
};

}  // namespace vtax
