#include "federation/log/shown_keys.hpp"

#include "protocol/ed25519.hpp"

namespace entente::federation {

ShownKeys::ShownKeys(const std::vector<protocol::ShownKey>& shown)
{
    for (const auto& one : shown) {
        if (auto ref = one.ref()) keys_.try_emplace(std::move(*ref), *one.key_x);
    }
}

std::string_view ShownKeys::x_of(const protocol::KeyRef& key) const
{
    const auto found = keys_.find(key);
    return found == keys_.end() ? std::string_view() : found->second;
}

bool ShownKeys::verify(const protocol::Jws& jws) const
{
    const auto found = keys_.find(jws.key);
    if (found == keys_.end()) return false;
    const auto key = protocol::PublicKey::from_x(found->second);
    return key && protocol::verifies(jws, *key);
}

}  // namespace entente::federation
