#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "advise/advice.h"
#include "predict/model.h"

namespace vtax::advise {

// What a model knows, which outlives it. Errors: as teller_of.
[[nodiscard]] Result<Knowledge> knowledge_of(const predict::Model& model);

// What a run has measured, which outlives it: no promise of anything else.
[[nodiscard]] Result<Knowledge> knowledge_of(const predict::KnownCells& known);

// A file, or "" for the model that comes with vtax (models/model-grid.model). Errors: as read_model.
[[nodiscard]] Result<predict::Model> find_model(const std::string& file);
inline constexpr char kOwnModel[] = "model-grid";

// The measured cells that a told one rests on, the nearest first: itself where it was measured.
[[nodiscard]] std::vector<Factors> rests_on(const predict::Model& model, const Factors& cell,
                                            std::size_t most);

}  // namespace vtax::advise
