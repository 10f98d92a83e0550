#include "workload/http/request.h"

#include <optional>

#include "workload/http/fields.h"

namespace vtax::http {
namespace {

constexpr std::size_t kLongestTarget = 4096;

Request refused(int status) {
  Request out;
  out.refusal = status;
  return out;
}

// "http://host/path" is what a proxy would be asked; servers must take it too (RFC 9112, 3.2.2).
std::optional<std::string_view> origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  if (!target.starts_with("http://")) return std::nullopt;
  const std::size_t slash = target.find('/', 7);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

bool is_visible(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c == 0x7f) return false;
  return true;
}

bool decode(std::string_view text, std::string& into) {
  into.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      into += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return false;
    const char c = static_cast<char>(high * 16 + low);
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '/') return false;
    into += c;
    i += 2;
  }
  return true;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

}  // namespace

Request parse_request(std::string_view head) {
  const auto line = take_line(head);
  if (!line) return refused(400);
  const std::size_t first = line->find(' ');
  const std::size_t last = line->rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0) return refused(400);
  const std::string_view method = line->substr(0, first), version = line->substr(last + 1);
  const std::string_view target = line->substr(first + 1, last - first - 1);
  if (target.empty() || !is_visible(target)) return refused(400);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refused(version.starts_with("HTTP/") ? 505 : 400);

  Request out;
  out.version_1_0 = version == "HTTP/1.0";
  out.keep_alive = !out.version_1_0;
  bool content = false;
  int hosts = 0;
  FieldReader fields(head);
  while (const auto field = fields.next()) {
    // Most fields are of no interest; their length tells without a look at the letters.
    switch (field->name.size()) {
      case 4:
        if (same_word(field->name, "host")) ++hosts;
        break;
      case 10:
        if (!same_word(field->name, "connection")) break;
        if (lists(field->value, "close"))
          out.keep_alive = false;
        else if (lists(field->value, "keep-alive"))
          out.keep_alive = true;
        break;
      case 14:
        if (!same_word(field->name, "content-length")) break;
        if (const auto length = digits(field->value); !length)
          return refused(400);
        else if (*length != 0)
          content = true;
        break;
      case 17:
        if (same_word(field->name, "transfer-encoding")) content = true;
        break;
      default:
        break;
    }
  }
  if (!fields.good() || hosts > 1 || (hosts == 0 && !out.version_1_0)) return refused(400);
  if (method != "GET" && method != "HEAD") return refused(405);
  if (content) return refused(413);
  if (target.size() > kLongestTarget) return refused(414);
  const auto path = origin_form(target);
  if (!path) return refused(400);
  out.head = method == "HEAD";
  out.target = *path;
  return out;
}

std::string_view path_of(std::string_view target, std::string& storage) {
  const std::string_view path = target.substr(0, target.find_first_of("?#"));
  if (path.find('%') == std::string_view::npos) return has_dot_segment(path) ? std::string_view() : path;
  if (!decode(path, storage) || has_dot_segment(storage)) return {};
  return storage;
}

}  // namespace vtax::http
