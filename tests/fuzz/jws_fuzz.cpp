// A JWS that is accepted keeps its octets and its bounds. Any text is also taken as a
// payload, so that what lies behind the header is reached.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/json_rules.hpp"
#include "protocol/jws.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const NameRules rules{true};
    if (const auto jws = parse_jws(text, rules)) {
        const bool kept = jws->text == text && text.starts_with(jws->signing_input);
        if (!kept || text.size() > max_jws_octets || jws->signature.size() != 64) std::abort();
    }
    const std::string kid = "a.test#" + std::string(43, 'A');
    const std::string header = R"({"alg":"Ed25519","kid":")" + kid + R"(","typ":"t"})";
    const std::string tail = "." + to_base64url(text) + "." + to_base64url(std::string(64, 's'));
    const auto wrapped = parse_jws(to_base64url(header) + tail, rules);
    if (wrapped && (wrapped->payload != text || !check_json(text))) std::abort();
    (void)parse_jws(to_base64url(text) + tail, rules);
    return 0;
}
