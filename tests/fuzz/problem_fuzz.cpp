// A peer's problem document becomes a bounded error, which can be written again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/problem.hpp"
#include "protocol/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const auto error = parse_problem({reinterpret_cast<const char*>(data), size});
    if (!error) return 0;
    if (error->detail.size() > 512 || !is_utf8(error->detail) || error->retry_after < 0)
        std::abort();
    auto told = *error;
    told.hint = told.detail;
    const auto again = parse_problem(problem_json(told, 0));
    if (!again || again->code != error->code || again->detail != error->detail) std::abort();
    return 0;
}
