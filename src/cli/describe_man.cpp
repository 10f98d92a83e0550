#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/describe.h"
#include "cli/described.h"

namespace vtax {
namespace {

// Text as troff reads it: no line begins with a control character, no hyphen becomes a dash.
std::string troff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_line_begin = out.empty() || out.back() == '\n';
    if (is_line_begin && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string page_name(std::string name) {
  for (char& c : name)
    if (c == ' ') c = '-';
  return name;
}

std::string option_text(const CLI::Option& option) {
  std::string text =
      ".TP\n\\fB" + troff(fmt::format("{}", fmt::join(names_of(option), "\\fR, \\fB"))) + "\\fR";
  // The marks between names are troff's own.
  for (std::size_t at; (at = text.find("\\efR, \\efB")) != std::string::npos;)
    text.replace(at, 10, "\\fR, \\fB");
  if (!takes_value(option)) return text + "\n" + troff(option.get_description()) + "\n";
  const auto values = values_of(option);
  // A long list may be broken between its values.
  std::vector<std::string> escaped;
  for (const auto& value : values) escaped.push_back(troff(value));
  text += " \\fI" +
          (values.empty() ? troff(option.get_type_name()) : fmt::format("{}", fmt::join(escaped, "|\\:"))) +
          "\\fR\n";
  text += troff(option.get_description());
  if (!option.get_default_str().empty())
    text += troff(fmt::format(" (default: {})", option.get_default_str()));
  return text + "\n";
}

}  // namespace

std::string manual_page(const CLI::App& app, const std::string& name, const std::string& date,
                        const std::vector<std::string>& others) {
  const std::string page = page_name(name);
  std::string out =
      fmt::format(".TH {} 1 {} \"vtax {}\" \"vtax\"\n.ad l\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n", page,
                  date, VTAX_VERSION, troff(page), troff(app.get_description()), troff(name));
  const auto verbs = verbs_of(app);
  out += verbs.empty() ? "[\\fIOPTIONS\\fR]" : "\\fIVERB\\fR";
  for (const CLI::Option* option : positionals_of(app))
    out += fmt::format(fmt::runtime(option->get_required() ? " \\fI{}\\fR" : " [\\fI{}\\fR]"),
                       troff(option->get_name()));
  out += "\n";
  if (!verbs.empty()) {
    out += ".SH VERBS\n";
    for (const CLI::App* verb : verbs)
      out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", troff(verb->get_name()), troff(verb->get_description()));
  }
  if (const auto positionals = positionals_of(app); !positionals.empty()) {
    out += ".SH ARGUMENTS\n";
    for (const CLI::Option* option : positionals)
      out +=
          fmt::format(".TP\n\\fI{}\\fR\n{}\n", troff(option->get_name()), troff(option->get_description()));
  }
  out += ".SH OPTIONS\n";
  for (const CLI::Option* option : options_of(app)) out += option_text(*option);
  std::string footer = app.get_footer();
  if (const auto at = footer.find("Example:\n"); at != std::string::npos) {
    out +=
        ".SH EXAMPLES\n.nf\n" + troff(footer.substr(at + std::string_view("Example:\n").size())) + "\n.fi\n";
  } else if (!footer.empty()) {
    out += ".SH NOTES\n" + troff(footer.substr(footer.find_first_not_of('\n'))) + "\n";
  }
  std::vector<std::string> references;
  for (const std::string& other : others)
    if (other != name) references.push_back(fmt::format("\\fB{}\\fR(1)", troff(page_name(other))));
  if (!references.empty()) out += fmt::format(".SH SEE ALSO\n{}\n", fmt::join(references, ", "));
  return out;
}

}  // namespace vtax
