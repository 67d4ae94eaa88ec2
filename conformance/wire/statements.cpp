#include "conformance/wire/statements.hpp"

#include <nlohmann/json.hpp>

namespace entente::conformance {

nlohmann::json rotation_members(std::string_view server, std::string_view previous,
                                const SigningKey& key, std::int64_t at)
{
    return {{"server", server}, {"previous", previous}, {"key", key.jwk()}, {"at", at}};
}

std::string rotation_proof(std::string_view server, const nlohmann::json& members,
                           const SigningKey& key)
{
    return jws(server, "entente-rotation-proof", members.dump(), key);
}

std::string rotation(std::string_view server, std::string_view previous, const SigningKey& key,
                     std::int64_t at, const SigningKey& signer)
{
    auto members = rotation_members(server, previous, key, at);
    members["proof"] = rotation_proof(server, members, key);
    return jws(server, "entente-rotation", members.dump(), signer);
}

std::string revocation(std::string_view server, std::string_view kid, std::int64_t at,
                       const SigningKey& signer)
{
    const nlohmann::json members = {
        {"server", server}, {"kid", kid}, {"at", at}, {"reason", "entente-conformance"}};
    return jws(server, "entente-revocation", members.dump(), signer);
}

std::string recovery(std::string_view server, const SigningKey& previous, const SigningKey& key,
                     std::int64_t at)
{
    const nlohmann::json members = {
        {"server", server}, {"previous", previous.jwk()}, {"key", key.jwk()}, {"at", at}};
    return jws(server, "entente-recovery", members.dump(), previous);
}

}  // namespace entente::conformance
