#pragma once

#include <ostream>

#include "report/comparison.h"

namespace vtax {

// For people, 80 columns: first what differs between the runs themselves, then for each cell the total per
// unit of work, the layers and the functions that changed. `~` where nothing changed.
void write_comparison_table(const RunComparison& comparison, std::ostream& out);

// {"schema": 1, "context": [...], "cells": [{factors, unit, before_per_unit, after_per_unit, relative,
// identical,
//  layers: [{name, before, after}], functions: [...]}], "only_before": [...], "only_after": [...]}
void write_comparison_json(const RunComparison& comparison, std::ostream& out);

}  // namespace vtax
