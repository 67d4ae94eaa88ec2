#include "federation/identity.hpp"

#include <iterator>
#include <utility>

namespace entente::federation {

namespace {

template <class T>
void keep_newest(std::vector<T>& list, std::size_t most)
{
    if (list.size() <= most) return;
    list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(most));
}

// A document over 64 KiB would be usable for nobody [DISC-2]. Who has pinned a key that only
// a statement left out replaces learns of it from other servers [KEY-6], or has a conflict.
void fit(protocol::ServerDocument& document)
{
    keep_newest(document.old_keys, protocol::max_document_old_keys);
    const auto statements = std::exchange(document.statements, {});
    auto octets = protocol::write_server_document(document).size();
    while (octets > protocol::max_document_octets && !document.old_keys.empty()) {
        document.old_keys.erase(document.old_keys.begin());
        octets = protocol::write_server_document(document).size();
    }
    auto first = statements.end();
    for (; first != statements.begin(); --first) {
        octets += std::prev(first)->size() + 3;  // quotes and a comma
        if (octets > protocol::max_document_octets) break;
    }
    document.statements.assign(first, statements.end());
}

}  // namespace
const PublicKey* find_own_key(const Identity& identity, const protocol::KeyId& id)
{
    if (identity.key.id() == id) return &identity.key.public_key();
    for (const auto& old : identity.old_keys) {
        if (old.key.thumbprint() == id) return &old.key;
    }
    return nullptr;
}

std::vector<KeyRef> own_key_refs(const Identity& identity)
{
    std::vector<KeyRef> refs{identity.key_ref()};
    for (const auto& old : identity.old_keys) refs.push_back({identity.name, old.key.thumbprint()});
    return refs;
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
    fit(document);
    return document;
}

}  // namespace entente::federation
