// A statement as a JWS, and the same octets as the payload of one of each type that is in
// order. What is taken keeps its octets and can be read again without its signatures.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/jws.hpp"
#include "protocol/statement.hpp"

namespace {

using namespace entente::protocol;

void check(const std::string& text)
{
    const auto statement = parse_statement(text, {});
    if (!statement) return;
    if (statement->text != text || statement->at() < 0) std::abort();
    const auto again = reread_statement(text);
    if (!again || !(*again == *statement)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    start_crypto();
    const std::string text{reinterpret_cast<const char*>(data), size};
    check(text);
    static const auto key = *SigningKey::from_seed(std::string(32, 'k'));
    for (const auto* type : {"entente-rotation", "entente-revocation", "entente-recovery"})
        check(make_jws(key, ServerName::trusted("a.example"), type, text));
    return 0;
}
