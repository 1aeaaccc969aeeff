// What nostro verify proved, for people and for programs.
#pragma once
#include "nostro/journal/verify.hpp"

namespace nostro::cli {

void print_report(const VerifyReport& report);
// One JSON document: docs/operations/README.md.
void print_report_json(const VerifyReport& report);

}  // namespace nostro::cli
