// A signed root as a JWS, and the same octets as the payload of one that is in order.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/proofs.hpp"

namespace {

using namespace entente::protocol;

void check(const Result<SignedRoot>& root)
{
    if (root && (root->size == 0 || root->at < 0)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    start_crypto();
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check(parse_signed_root(text, {}));
    static const auto key = *SigningKey::from_seed(std::string(32, 'k'));
    check(parse_signed_root(make_jws(key, ServerName::trusted("a.example"), "entente-root", text),
                            {}));
    return 0;
}
