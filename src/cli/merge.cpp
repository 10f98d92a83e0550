#include "cli/merge.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/say.h"
#include "core/shell_word.h"
#include "record/merge.h"

namespace vtax {
namespace {

struct MergeOptions {
  std::vector<std::filesystem::path> files;
  std::string out;
  bool is_partial = false;
};

Result<ExitCode> merge(const MergeOptions& options) {
  const auto merged =
      merge_runs(options.files, options.out, options.is_partial ? Incomplete::kept : Incomplete::refused);
  if (!merged) return fail(merged.error());
  say("{}: {} of {} trials ended, {} failed\ndigest {}\n", options.out, merged->finished, merged->planned,
      merged->failed, merged->digest);
  if (!merged->missing.empty())
    say("missing: {} trials ({}); `vtax run --resume {}` runs them\n", merged->missing.size(),
        places_text(merged->missing), shell_word_of(options.out));
  return merged->failed == 0 || options.is_partial ? ExitCode::ok : ExitCode::trial_failed;
}

Verb::Action add_merge_options(CLI::App& app) {
  auto options = std::make_shared<MergeOptions>();
  app.add_option("RUN", options->files, "The run files of shares (`vtax run --shard`), in any order")
      ->required();
  app.add_option("-o,--out", options->out, "The run file to write; it must not be there")->required();
  app.add_flag("--partial", options->is_partial,
               "Go on without the trials that no file has; without it they are named, the exit code is 4");
  return [options] { return merge(*options); };
}

}  // namespace

Verb merge_verb() {
  return {"merge", "Make one run of the run files of shares",
          "vtax run first-look --shard 0/2 && vtax run first-look --shard 1/2\n"
          "  vtax merge first-look.shard-*.vtax --out first-look.vtax",
          add_merge_options, true};
}

}  // namespace vtax
