#include "advise/known_by_model.h"

#include <algorithm>

#include "predict/model_file.h"
#include "study/built_in.h"

namespace vtax::embedded {
const std::vector<EmbeddedFile>& models();
}

namespace vtax::advise {
namespace {

Result<Knowledge> knowledge_of(Result<CellTeller> tell, const predict::KnownCells& known) {
  if (!tell) return fail(tell.error());
  Knowledge knowledge{std::move(*tell), cpu_mips_of(known), {}};
  for (const predict::KnownCell& cell : known.cells) {
    const std::string& platform = cell.factors.at("platform");
    if (std::find(knowledge.platforms.begin(), knowledge.platforms.end(), platform) ==
        knowledge.platforms.end())
      knowledge.platforms.push_back(platform);
  }
  return knowledge;
}

}  // namespace

Result<Knowledge> knowledge_of(const predict::Model& model) {
  return knowledge_of(teller_of(model), model.parts().known);
}

Result<Knowledge> knowledge_of(const predict::KnownCells& known) {
  return knowledge_of(teller_of(known), known);
}

Result<predict::Model> find_model(const std::string& file) {
  if (!file.empty()) return predict::read_model(file);
  for (const EmbeddedFile& own : embedded::models())
    if (own.name == std::string(kOwnModel) + ".model") return predict::parse_model(own.content, kOwnModel);
  return fail({"cannot give advice", "this vtax was built without a model", "name one with --model"});
}

std::vector<Factors> rests_on(const predict::Model& model, const Factors& wanted, std::size_t most) {
  const Factors named = as_measured(wanted, model.parts().known);
  if (const predict::KnownCell* known = model.measured(named)) return {known->factors};
  std::vector<Factors> cells;
  for (const predict::KnownCell* known : model.nearest(named, most)) cells.push_back(known->factors);
  return cells;
}

}  // namespace vtax::advise
