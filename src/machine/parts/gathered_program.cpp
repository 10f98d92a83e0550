#include "machine/parts/gathered_program.h"

#include "machine/parts/stack_sources.h"
#include "subject/program_text.h"

namespace vtax::lab {

Result<GatheredProgram> gather_program(const WorkloadFiles& workload, PackageCache& cache, const Apt& apt,
                                       const TellStep& progress, Fetch why) {
  GatheredProgram program;
  if (!workload.files.empty()) {
    auto own = ProgramTree::own(workload.files, why == Fetch::content);
    if (!own) return fail(own.error());
    const std::string folder = folder_of_files(workload.files);
    program.own = OwnFile{"files", std::filesystem::absolute(folder).string(), own->hash};
    program.tree = std::move(*own);
  }
  if (!workload.packages.empty()) {
    auto set = cache.fetch(wanted_programs(workload.packages), apt, progress, why);
    if (!set) return fail(set.error());
    program.tree.add_below(set->root);
    program.set = std::move(*set);
  }
  return program;
}

}  // namespace vtax::lab
