// The order of the whole: which parts run when, on which servers, and under which name
// their figures are reported.
#pragma once

#include "tests/bench/options.hpp"
#include "tests/bench/report.hpp"

namespace entente::bench {

// Throws Broken where a part can't be run at all.
void run_bench(const Options& options, Report& report);

}  // namespace entente::bench
