#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

#include "cli/describe.h"
#include "cli/described.h"

namespace vtax {
namespace {

// Every verb with its words behind vtax: "run", "lab boot"; "" of vtax itself.
void for_each_verb(const CLI::App& app, const std::string& words,
                   const std::function<void(const CLI::App&, const std::string&)>& use) {
  use(app, words);
  for (const CLI::App* verb : verbs_of(app))
    for_each_verb(*verb, words.empty() ? verb->get_name() : words + " " + verb->get_name(), use);
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : verbs_of(app)) names.push_back(verb->get_name());
  if (app.get_parent() == nullptr) names.emplace_back("help");
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options_of(app))
    for (const std::string& name : names_of(*option)) names.push_back(name);
  return names;
}

// What may stand where the verb's first words do.
std::vector<std::string> first_words(const CLI::App& app, const std::string& verb) {
  if (verb == "run") return completed().studies;
  if (verb == "explain") return completed().explained;
  for (const CLI::Option* option : positionals_of(app))
    if (const auto values = values_of(*option); !values.empty()) return values;
  return verb_names(app);
}

// Bash's and zsh's own: both read the same tables, as shell functions whose answer is $_vtax_reply.
std::string tables(const CLI::App& app) {
  std::string verbs, words, options, values, flags;
  const auto row = [](const std::string& key, const std::vector<std::string>& all) {
    return fmt::format("    '{}') _vtax_reply='{}' ;;\n", key, fmt::join(all, " "));
  };
  for_each_verb(app, "", [&](const CLI::App& verb, const std::string& name) {
    verbs += row(name, verb_names(verb));
    words += row(name, first_words(verb, name));
    options += row(name, option_names(verb));
    for (const CLI::Option* option : options_of(verb)) {
      for (const std::string& one : names_of(*option)) {
        if (!takes_value(*option))
          flags += row(name + " " + one, {});
        else if (const auto known = values_of(*option); !known.empty())
          values += row(name + " " + one, known);
      }
    }
  });
  const auto function = [](const char* name, const char* otherwise, const std::string& cases) {
    return fmt::format("_vtax_{}() {{\n  _vtax_reply={}\n  case \"$1\" in\n{}  esac\n}}\n", name, otherwise,
                       cases);
  };
  return function("verbs", "", verbs) + function("words", "", words) + function("options", "", options) +
         function("values", "", values) + function("takes", "yes", flags) +
         fmt::format("_vtax_factors='{}'\n_vtax_assignments='{}'\n", fmt::join(completed().factors, " "),
                     fmt::join(completed().assignments, " "));
}

constexpr const char* kBash =
    R"(# What can stand at the cursor; $COMP_LINE up to it, as bash would have it apart at every '=' and ':'.
_vtax() {
  local line=${COMP_LINE:0:COMP_POINT} cur before= verb= word list _vtax_reply
  local -a typed
  read -ra typed <<<"$line"
  cur=${typed[-1]}
  if [[ $line == *' ' ]]; then cur=; else unset 'typed[-1]'; fi
  typed=("${typed[@]:1}")
  for word in "${typed[@]}"; do
    _vtax_verbs "$verb"
    [[ " $_vtax_reply " == *" $word "* && $word != help ]] && verb=${verb:+$verb }$word
  done
  ((${#typed[@]})) && before=${typed[-1]}
  _vtax_reply=
  if [[ $before == -* && $before != *=* ]]; then _vtax_takes "$verb $before"; fi
  if [[ -n $_vtax_reply ]]; then
    _vtax_values "$verb $before"
    if [[ $before == --set ]]; then
      if [[ $cur == *=* ]]; then _vtax_reply=$_vtax_assignments; else _vtax_reply=$_vtax_factors; fi
    fi
  elif [[ $cur == -* ]]; then
    _vtax_options "$verb"
  else
    _vtax_words "$verb"
  fi
  list=$_vtax_reply
  mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur")
  # Files, where names do not fit: run files, studies, kernels.
  ((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  # Bash replaces what is behind the last of these alone.
  if [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then
    local begin=${cur%"${cur##*=}"} i
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$begin"}; done
  fi
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  [[ ${#COMPREPLY[@]} == 1 && -d ${COMPREPLY[0]} ]] && compopt -o filenames 2>/dev/null
  return 0
}
complete -F _vtax vtax
)";

constexpr const char* kZsh = R"(_vtax() {
  local before verb= word _vtax_reply
  for word in ${words[2,CURRENT-1]}; do
    _vtax_verbs "$verb"
    [[ " $_vtax_reply " == *" $word "* && $word != help ]] && verb=${verb:+$verb }$word
  done
  before=${words[CURRENT-1]}
  _vtax_reply=
  if [[ $before == -* && $before != *=* ]]; then _vtax_takes "$verb $before"; fi
  if [[ -n $_vtax_reply ]]; then
    if [[ $before == --set ]]; then
      if [[ $PREFIX == *=* ]]; then compadd -- ${=_vtax_assignments}; else compadd -S '' -- ${=_vtax_factors}; fi
      return
    fi
    _vtax_values "$verb $before"
    if [[ -n $_vtax_reply ]]; then compadd -- ${=_vtax_reply}; else _files; fi
  elif [[ $PREFIX == -* ]]; then
    _vtax_options "$verb"
    compadd -- ${=_vtax_reply}
  else
    _vtax_words "$verb"
    compadd -- ${=_vtax_reply}
    _files
  fi
}
_vtax "$@"
)";

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// That exactly this verb is typed: "run" or "lab boot".
std::string fish_condition(const std::string& verb) {
  if (verb.empty()) return "__fish_use_subcommand";
  std::string condition;
  for (std::string_view rest = verb; !rest.empty();) {
    const auto blank = std::min(rest.find(' '), rest.size());
    condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                             rest.substr(0, blank));
    rest.remove_prefix(std::min(blank + 1, rest.size()));
  }
  return condition;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  return "# Completion of vtax for bash, made from its options.\n" + tables(app) + kBash;
}

std::string zsh_completion(const CLI::App& app) {
  return "#compdef vtax\n# Completion of vtax for zsh, made from its options.\n" + tables(app) + kZsh;
}

std::string fish_completion(const CLI::App& app) {
  std::string out = "# Completion of vtax for fish, made from its options.\n";
  for_each_verb(app, "", [&](const CLI::App& verb, const std::string& name) {
    const std::string begin = fmt::format("complete -c vtax -n '{}'", fish_condition(name));
    for (const CLI::App* sub : verbs_of(verb))
      out += fmt::format("{} -f -a {} -d {}\n", begin, sub->get_name(), fish_quoted(sub->get_description()));
    if (const auto words = first_words(verb, name); verbs_of(verb).empty() && !words.empty())
      out += fmt::format("{} -a '{}'\n", begin, fmt::join(words, " "));
    for (const CLI::Option* option : options_of(verb)) {
      out += begin;
      for (const std::string& one : option->get_snames()) out += " -s " + one;
      for (const std::string& one : option->get_lnames()) out += " -l " + one;
      if (takes_value(*option)) {
        auto values = values_of(*option);
        if (option->check_lname("set")) {
          values = completed().factors;
          values.insert(values.end(), completed().assignments.begin(), completed().assignments.end());
        }
        out += values.empty() ? " -r" : fmt::format(" -x -a '{}'", fmt::join(values, " "));
      }
      out += fmt::format(" -d {}\n", fish_quoted(option->get_description()));
    }
  });
  return out;
}

}  // namespace vtax
