// What the scanner accepts, another library reads as JSON; what it refuses has a hint
// that can stand in a problem document.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "protocol/json_rules.hpp"
#include "protocol/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto checked = check_json(text);
    if (checked && !nlohmann::json::accept(text)) std::abort();
    if (!checked && (checked.error().hint.size() > 300 || !is_utf8(checked.error().hint)))
        std::abort();
    if (is_utf8(text) && !check_json(json_string(text))) std::abort();
    return 0;
}
