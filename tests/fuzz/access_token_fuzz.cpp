// Access tokens as a stranger sends them, and their claims behind a header that is ours:
// nothing is accepted without a signature, whatever the form.
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/access_token.hpp"
#include "protocol/octets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente;
    static const auto key = [] {
        protocol::start_crypto();
        return protocol::SigningKey::from_seed(std::string(32, 'k')).value();
    }();
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (api::check_access_token(text, key.public_key(), 0)) std::abort();

    std::string token = protocol::to_base64url(R"({"alg":"EdDSA","typ":"JWT"})") + ".";
    token += protocol::to_base64url(text);
    const auto signature = protocol::to_base64url(key.sign(token));
    token += "." + signature;
    const auto claims = api::check_access_token(token, key.public_key(), 0);
    if (claims && claims->expires <= 0) std::abort();
    return 0;
}
