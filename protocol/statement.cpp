#include "protocol/statement.hpp"

#include <nlohmann/json.hpp>

#include "protocol/jwk.hpp"
#include "protocol/jws.hpp"

namespace entente::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::string_view rotation_type = "entente-rotation";
constexpr std::string_view rotation_proof_type = "entente-rotation-proof";
constexpr std::string_view revocation_type = "entente-revocation";
constexpr std::string_view recovery_type = "entente-recovery";

enum class Signatures : std::uint8_t { check, known };

Failure wrong_statement(std::string_view name, std::string_view reason)
{
    return refuse(Code::malformed, "statement: /" + std::string{name} + ": " + std::string{reason});
}

Result<std::string> need_text(const Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string())
        return wrong_statement(name, "must be a string");
    return found->get<std::string>();
}

Result<Millis> need_time(const Json& object)
{
    const auto found = object.find("at");
    if (found == object.end() || !found->is_number_integer() || found->get<Millis>() < 0)
        return wrong_statement("at", "must be a time");
    return found->get<Millis>();
}

Result<KeyId> need_key_id(const Json& object, const char* name)
{
    const auto text = need_text(object, name);
    if (!text) return fail(text);
    return parse_key_id(*text);
}

Result<PublicKey> need_jwk(const Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end()) return wrong_statement(name, "is missing");
    return read_jwk(*found, name);
}

// The payload of a JWS that parse_jws has taken: it keeps to the JSON rules already.
Result<Json> payload_of(const Jws& jws)
{
    auto payload = Json::parse(jws.payload, nullptr, false);
    if (!payload.is_object()) return wrong_statement("", "must be an object");
    const auto server = need_text(payload, "server");
    if (!server) return fail(server);
    if (*server != jws.key.server.str()) return wrong_statement("server", "is not the signer's");
    return payload;
}

// The new key has signed the same members: nobody can take over another's key as his own.
Result<void> check_proof(const Json& payload, const Rotation& rotation, const KeyRef& signer)
{
    const auto text = need_text(payload, "proof");
    if (!text) return fail(text);
    const auto proof = parse_jws(*text, NameRules{.allow_test_names = true});
    if (!proof) return fail(proof);
    if (proof->type != rotation_proof_type)
        return wrong_statement("proof", "must be an entente-rotation-proof");
    if (proof->key != KeyRef{signer.server, rotation.key.thumbprint()})
        return refuse(Code::signature_invalid, "statement: the proof is not by the new key");
    auto members = payload;
    members.erase("proof");
    if (Json::parse(proof->payload, nullptr, false) != members)
        return refuse(Code::signature_invalid, "statement: the proof is of other members");
    if (!verifies(*proof, rotation.key))
        return refuse(Code::signature_invalid, "statement: the proof doesn't verify");
    return {};
}

Result<Rotation> read_rotation(const Json& payload)
{
    auto previous = need_key_id(payload, "previous");
    if (!previous) return fail(previous);
    const auto key = need_jwk(payload, "key");
    if (!key) return fail(key);
    const auto at = need_time(payload);
    if (!at) return fail(at);
    if (key->thumbprint() == *previous) return wrong_statement("key", "replaces itself");
    return Rotation{std::move(*previous), *key, *at};
}

Result<Revocation> read_revocation(const Json& payload)
{
    auto key = need_key_id(payload, "kid");
    if (!key) return fail(key);
    const auto at = need_time(payload);
    if (!at) return fail(at);
    // For people only: a revocation that gives none is one all the same.
    if (!payload.contains("reason")) return Revocation{std::move(*key), *at, {}};
    auto reason = need_text(payload, "reason");
    if (!reason) return fail(reason);
    return Revocation{std::move(*key), *at, std::move(*reason)};
}

Result<Recovery> read_recovery(const Json& payload)
{
    const auto previous = need_jwk(payload, "previous");
    if (!previous) return fail(previous);
    const auto key = need_jwk(payload, "key");
    if (!key) return fail(key);
    const auto at = need_time(payload);
    if (!at) return fail(at);
    if (*key == *previous) return wrong_statement("key", "replaces itself");
    return Recovery{*previous, *key, *at};
}

Result<Statement> read(std::string_view text, NameRules rules, Signatures signatures)
{
    auto jws = parse_jws(text, rules);
    if (!jws) return fail(std::move(jws));
    const auto payload = payload_of(*jws);
    if (!payload) return fail(payload);

    if (jws->type == rotation_type) {
        auto rotation = read_rotation(*payload);
        if (!rotation) return fail(std::move(rotation));
        if (signatures == Signatures::check) {
            auto proven = check_proof(*payload, *rotation, jws->key);
            if (!proven) return fail(proven);
        }
        return Statement{std::move(jws->text), std::move(jws->key), std::move(*rotation)};
    }
    if (jws->type == revocation_type) {
        auto revocation = read_revocation(*payload);
        if (!revocation) return fail(std::move(revocation));
        return Statement{std::move(jws->text), std::move(jws->key), std::move(*revocation)};
    }
    if (jws->type == recovery_type) {
        auto recovery = read_recovery(*payload);
        if (!recovery) return fail(std::move(recovery));
        const bool by_previous = jws->key.key == recovery->previous.thumbprint();
        if (!by_previous ||
            (signatures == Signatures::check && !verifies(*jws, recovery->previous)))
            return refuse(Code::signature_invalid, "statement: not by the key that it replaces");
        return Statement{std::move(jws->text), std::move(jws->key), std::move(*recovery)};
    }
    return refuse(Code::malformed, "statement: typ is none of a statement");
}

Json rotation_members(const ServerName& server, const KeyId& previous, const PublicKey& key,
                      Millis at)
{
    return Json{
        {"server", server.str()}, {"previous", previous.str()}, {"key", jwk_of(key)}, {"at", at}};
}

}  // namespace

Millis Statement::at() const
{
    return std::visit([](const auto& said) { return said.at; }, what);
}

Result<Statement> parse_statement(std::string_view jws, NameRules rules)
{
    return read(jws, rules, Signatures::check);
}

Result<Statement> reread_statement(std::string_view jws)
{
    return read(jws, NameRules{.allow_test_names = true}, Signatures::known);
}

bool is_signed_by(const Statement& statement, const PublicKey& key)
{
    if (statement.signer.key != key.thumbprint()) return false;
    const auto jws = parse_jws(statement.text, NameRules{.allow_test_names = true});
    return jws && verifies(*jws, key);
}

std::string make_rotation(const ServerName& server, const KeyId& previous, const SigningKey& key,
                          Millis at, const SigningKey& signer)
{
    auto payload = rotation_members(server, previous, key.public_key(), at);
    payload["proof"] = make_jws(key, server, rotation_proof_type, payload.dump());
    return make_jws(signer, server, rotation_type, payload.dump());
}

std::string make_revocation(const ServerName& server, const KeyId& key, Millis at,
                            std::string_view reason, const SigningKey& signer)
{
    const Json payload{
        {"server", server.str()}, {"kid", key.str()}, {"at", at}, {"reason", reason}};
    return make_jws(signer, server, revocation_type, payload.dump());
}

std::string make_recovery(const ServerName& server, const SigningKey& previous,
                          const PublicKey& key, Millis at)
{
    const Json payload{{"server", server.str()},
                       {"previous", jwk_of(previous.public_key())},
                       {"key", jwk_of(key)},
                       {"at", at}};
    return make_jws(previous, server, recovery_type, payload.dump());
}

std::string sign_again(const Statement& statement, const SigningKey& signer)
{
    const auto jws = parse_jws(statement.text, NameRules{.allow_test_names = true});
    return make_jws(signer, statement.signer.server, jws->type, jws->payload);
}

}  // namespace entente::protocol
