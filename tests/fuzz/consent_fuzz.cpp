// A consent as a JWS, the same octets as the payload of one that is in order, and as the content
// of a channel.move. What is taken names who signed it, and says the same when it is made anew.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/consent.hpp"

namespace {

using namespace entente::protocol;

void check(const std::string& text, const SigningKey& key)
{
    const auto consent = parse_consent(text, {});
    if (!consent) return;
    if (consent->home != consent->jws.key.server || consent->epoch < 2) std::abort();
    const auto made = make_consent(key, consent->home, consent->channel, consent->epoch);
    const auto again = parse_consent(made, {});
    if (!again || again->channel != consent->channel || again->epoch != consent->epoch)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    start_crypto();
    const std::string text{reinterpret_cast<const char*>(data), size};
    static const auto key = *SigningKey::from_seed(std::string(32, 'k'));
    check(text, key);
    check(make_jws(key, ServerName::trusted("b.example"), "entente-home", text), key);
    if (const auto moved = consent_of_move(text, {}); moved && !parse_consent(moved->jws.text, {}))
        std::abort();
    return 0;
}
