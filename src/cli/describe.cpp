#include "cli/describe.h"

#include <functional>
#include <map>

#include "cli/described.h"
#include "core/files.h"

namespace vtax {
namespace {

void collect(const CLI::App& app, const std::string& name, std::map<std::string, const CLI::App*>& all) {
  all[name] = &app;
  for (const CLI::App* verb : verbs_of(app)) collect(*verb, name + " " + verb->get_name(), all);
}

}  // namespace

Result<> describe(const CLI::App& app, const std::filesystem::path& folder, const std::string& date) {
  std::map<std::string, const CLI::App*> all;
  collect(app, app.get_name(), all);
  std::vector<std::string> top;
  for (const auto& [name, verb] : all)
    if (verb->get_parent() == nullptr || verb->get_parent()->get_parent() == nullptr) top.push_back(name);
  if (auto made = make_directories(folder / "man1"); !made) return made;
  std::map<std::string, std::string> texts = {{"vtax.bash", bash_completion(app)},
                                              {"_vtax", zsh_completion(app)},
                                              {"vtax.fish", fish_completion(app)}};
  for (const auto& [name, verb] : all) {
    std::string file = "man1/" + name + ".1";
    for (char& c : file)
      if (c == ' ') c = '-';
    texts[file] = manual_page(*verb, name, date, top);
  }
  for (const auto& [file, text] : texts)
    if (auto written = write_text(folder / file, text); !written) return written;
  return {};
}

}  // namespace vtax
