// A server as its peers see it: keys made from a number, documents and statements of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "protocol/statement.hpp"
#include "trust/key_ring.hpp"

namespace entente::trust::rig {

using protocol::SigningKey;

inline constexpr Millis now = 1'763'683'200'000;
inline constexpr Millis day_ms = Millis{24} * 3600 * 1000;

// The n-th of an endless row of keys, the same in every run.
inline const SigningKey& key(int number)
{
    static std::map<int, SigningKey> made;
    const auto found = made.find(number);
    if (found != made.end()) return found->second;
    protocol::start_crypto();
    std::string seed(32, 'k');
    seed.replace(0, 4, {static_cast<char>(number & 255), static_cast<char>(number >> 8), 'e', 'y'});
    return made.emplace(number, *SigningKey::from_seed(seed)).first->second;
}

inline const ServerName server = ServerName::trusted("a.example");

inline KeyRef ref(int number)
{
    return KeyRef{server, key(number).id()};
}

// Recovery keys have numbers of their own.
inline const SigningKey& recovery(int number = 0)
{
    return key(1000 + number);
}

inline std::string rotation(int from, int to, Millis at, const SigningKey& signer)
{
    return protocol::make_rotation(server, key(from).id(), key(to), at, signer);
}
inline std::string rotation(int from, int to, Millis at)
{
    return rotation(from, to, at, key(from));
}
inline std::string revocation(int of, Millis at, const SigningKey& signer)
{
    return protocol::make_revocation(server, key(of).id(), at, "", signer);
}
inline std::string new_recovery(int from, int to, Millis at)
{
    return protocol::make_recovery(server, recovery(from), recovery(to).public_key(), at);
}

inline protocol::ServerDocument document(const std::vector<int>& keys,
                                         std::vector<std::string> statements = {},
                                         int recovery_key = 0)
{
    protocol::ServerDocument document;
    document.server = server;
    document.api = "https://chat.a.example";
    for (const auto number : keys)
        document.keys.push_back({key(number).public_key(), now - day_ms, 0, 0});
    document.recovery = recovery(recovery_key).public_key();
    document.statements = std::move(statements);
    return document;
}

}  // namespace entente::trust::rig
