#include "federation/identity.hpp"

namespace entente::federation {

const PublicKey* find_own_key(const Identity& identity, const protocol::KeyId& id)
{
    if (identity.key.id() == id) return &identity.key.public_key();
    for (const auto& old : identity.old_keys) {
        if (old.key.thumbprint() == id) return &old.key;
    }
    return nullptr;
}

protocol::ServerDocument document(const Identity& identity)
{
    protocol::ServerDocument document;
    document.server = identity.name;
    document.api = identity.api;
    document.keys.push_back({identity.key.public_key(), identity.from, 0, 0});
    document.old_keys = identity.old_keys;
    document.recovery = identity.recovery;
    document.statements = identity.statements;
    document.limits = identity.limits;
    document.features = identity.features;
    document.contact = identity.contact;
    document.software_name = "entente";
    document.software_version = identity.software_version;
    document.max_age = identity.max_age;
    return document;
}

}  // namespace entente::federation
