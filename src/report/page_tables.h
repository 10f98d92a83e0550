#pragma once

#include <ostream>

#include "report/page_data.h"

// The tables of the page, as HTML that needs no script: every number of the table format is in them. Of a run
// of more cells than a page can hold they say what is left out, and where it is.
namespace vtax {

void write_claims_section(std::ostream& out, const Run& header, const PageData& data);
void write_terms_tables(std::ostream& out, const PageData& data);
void write_measured_tables(std::ostream& out, const PageData& data);
void write_rates_tables(std::ostream& out, const PageData& data);
void write_offered_tables(std::ostream& out, const PageData& data);
void write_functions_table(std::ostream& out, const PageData& data);  // of the headline's cell
void write_cost_tables(std::ostream& out, const PageData& data);
void write_hardware_tables(std::ostream& out, const PageData& data);
void write_traffic_tables(std::ostream& out, const PageData& data);
void write_sentences(std::ostream& out, const PageData& data);
void write_failed_table(std::ostream& out, const Run& header, const PageData& data);
void write_provenance(std::ostream& out, const Run& header, const PageData& data);

// Which of the sections have nothing.
[[nodiscard]] bool has_claims(const Run& header);
[[nodiscard]] bool has_hardware(const PageData& data);
[[nodiscard]] bool has_functions(const PageData& data);
[[nodiscard]] bool has_measured(const PageData& data);
[[nodiscard]] bool has_traffic(const PageData& data);

}  // namespace vtax
