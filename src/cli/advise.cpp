#include "cli/advise.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "advise/advice.h"
#include "advise/check_study.h"
#include "advise/commands.h"
#include "advise/known_by_model.h"
#include "advise/ranking_score.h"
#include "advise/text.h"
#include "advise/what_if.h"
#include "cli/say.h"
#include "core/readable.h"
#include "record/run_reader.h"
#include "report/output.h"
#include "watch/record/recording_reader.h"

namespace vtax {
namespace {

struct AdviseOptions {
  std::string server, model, check, study, write, from;
  std::vector<std::string> what_if;
  bool json = false;
};

Result<> write_check_study(const advise::Server& server, const advise::Advice& advice,
                           const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored) && std::filesystem::is_regular_file(file, ignored))
    return fail({"cannot write study " + printable(file, 200), "it is there already",
                 "name another file: what somebody may have changed is not written over"});
  const auto text = advise::study_text(server, advice);
  if (!text) return fail(text.error());
  auto output = Output::open(file);
  if (!output) return fail(output.error());
  output->stream() << *text;
  return output->commit();
}

Result<> write_setup(const advise::Server& server, const advise::Advice& advice, const std::string& folder) {
  if (advice.holds.empty())
    return fail({"cannot write how to set the server up", "no placement holds what must",
                 "change the rates, the wishes or the server", ExitCode::usage});
  return advise::write_commands(advise::commands_of(server, advice.holds.front()), folder);
}

Result<> check_by_run(const advise::Server& server, const advise::Advice& advice,
                      const AdviseOptions& options, std::ostream& out) {
  auto reader = RunReader::open(options.check);
  if (!reader) return fail(reader.error());
  predict::KnownCells measured;
  if (auto added = predict::add_run(*reader, measured); !added) return added;
  const auto score = advise::score_ranking(server, advice, measured);
  if (!score) return fail(score.error());
  if (options.json)
    advise::write_score_json(server, *score, out);
  else
    advise::write_score(server, *score, out);
  return {};
}

Result<ExitCode> say_what_if(const AdviseOptions& options) {
  if (!options.server.empty() || !options.model.empty() || !options.check.empty() || !options.study.empty() ||
      !options.write.empty())
    return fail({"cannot use --from with a server, a model, --check, --study or --write",
                 "it is about the computer that was recorded", "leave them out"});
  if (options.what_if.empty())
    return fail({"cannot use --from alone", "it does not say what would be different",
                 "add --what-if guests=+1, or --what-if rate=2"});
  std::vector<advise::Change> changes;
  for (const std::string& text : options.what_if) {
    auto change = advise::change_of(text);
    if (!change) return fail(change.error());
    changes.push_back(std::move(*change));
  }
  auto reader = watch::RecordingReader::open(options.from);
  if (!reader) return fail(reader.error());
  advise::WhatIfReadings readings(std::move(changes));
  if (auto read = reader->for_each([&](const watch::Reading& reading) {
        readings.add(reading);
        return Result<>();
      });
      !read)
    return fail(read.error());
  const auto result = readings.take();
  if (!result) return fail(result.error());
  auto output = Output::open("-");
  if (!output) return fail(output.error());
  if (options.json)
    advise::write_what_if_json(*result, output->stream());
  else
    advise::write_what_if(*result, options.what_if, output->stream());
  if (auto committed = output->commit(); !committed) return fail(committed.error());
  return ExitCode::ok;
}

Result<ExitCode> give_advice(const AdviseOptions& options) {
  if (!options.from.empty()) return say_what_if(options);
  if (!options.what_if.empty())
    return fail({"cannot use --what-if without --from", "it is about a recording of `vtax top --out FILE`",
                 "name one with --from FILE"});
  if (options.server.empty())
    return fail({"cannot give advice", "no server is named",
                 "name a server file, web-box or mail-box, or --from a recording"});
  if (!options.check.empty() && (!options.study.empty() || !options.write.empty()))
    return fail(
        {"cannot use --check with --study or --write", "it judges advice and gives none", "leave them out"});
  const auto server = advise::find_server(options.server);
  if (!server) return fail(server.error());
  const auto model = advise::find_model(options.model);
  if (!model) return fail(model.error());
  const auto knowledge = advise::knowledge_of(*model);
  if (!knowledge) return fail(knowledge.error());
  const auto advice = advise::advise(*server, *knowledge);
  if (!advice) return fail(advice.error());
  auto output = Output::open("-");
  if (!output) return fail(output.error());
  if (!options.check.empty()) {
    if (auto done = check_by_run(*server, *advice, options, output->stream()); !done)
      return fail(done.error());
  } else if (options.json) {
    advise::write_advice_json(*server, *advice, *model, output->stream());
  } else {
    advise::write_advice(*server, *advice, *model, output->stream());
  }
  if (auto committed = output->commit(); !committed) return fail(committed.error());
  if (!options.study.empty()) {
    if (auto done = write_check_study(*server, *advice, options.study); !done) return fail(done.error());
    std::cerr << fmt::format("vtax: {} checks the best placements: `vtax run` it\n",
                             printable(options.study, 200));
  }
  if (!options.write.empty()) {
    if (auto done = write_setup(*server, *advice, options.write); !done) return fail(done.error());
    std::cerr << fmt::format("vtax: {} says how to set the first placement up; nothing of it was run\n",
                             printable(options.write, 200));
  }
  return !options.check.empty() || !advice->holds.empty() ? ExitCode::ok : ExitCode::regression;
}

Verb::Action add_advise_options(CLI::App& app) {
  auto options = std::make_shared<AdviseOptions>();
  app.add_option("SERVER", options->server,
                 "A server file (docs/advice.md), or web-box or mail-box, which come with vtax");
  app.add_option("--model", options->model,
                 "What `vtax fit` wrote (default: the model that comes with vtax)");
  app.add_flag("--json", options->json, "For programs: all placements");
  app.add_option("--study", options->study, "Write a study that checks the best placements to this file");
  app.add_option("--write", options->write,
                 "Write what sets the first placement up into this folder (xl.cfg, libvirt XML, set.sh);\n"
                 "vtax runs none of it");
  app.add_option("--check", options->check,
                 "A run that has measured placements: how far the order was right");
  app.add_option("--from", options->from,
                 "Instead of a server: what `vtax top --out` has recorded of a running computer");
  app.add_option("--what-if", options->what_if,
                 "With --from: guests=+1, guests=+2:LIKE, rate=1.5 or rate=2:GUEST; several go together");
  return [options] { return give_advice(*options); };
}

}  // namespace

Verb advise_verb() {
  return {"advise", "How to set a server up: the placements that carry its load, the best first",
          "vtax advise web-box\n"
          "  vtax advise mine.toml --study check.toml --write setup\n"
          "  vtax run check.toml --out advice.vtax && vtax advise mine.toml --check advice.vtax\n"
          "  vtax advise --from night.vtax --what-if guests=+1",
          add_advise_options, true};
}

}  // namespace vtax
