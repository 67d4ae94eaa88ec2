// Statements about a server's keys [KEY-2, KEY-3]: rotations, revocations and recoveries,
// read from JWS and made. What a statement proves by itself is checked here; whether it was
// signed by a key that may, and whether it counts, is trust/resolution's to say.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "protocol/ed25519.hpp"
#include "protocol/names.hpp"

namespace entente::protocol {

// [KEY-2] `key` takes the place of `previous` from `at` on.
struct Rotation {
    KeyId previous;
    PublicKey key;
    Millis at = 0;
};

// [KEY-3]
struct Revocation {
    KeyId key;
    Millis at = 0;
    std::string reason;  // for people; may be empty
};

// [KEY-3] `key` takes the place of the recovery key `previous`.
struct Recovery {
    PublicKey previous;
    PublicKey key;
    Millis at = 0;
};

struct Statement {
    std::string text;  // the JWS, to be handed on octet by octet
    KeyRef signer;     // of the server that the statement is about
    std::variant<Rotation, Revocation, Recovery> what;

    [[nodiscard]] Millis at() const;
    friend bool operator==(const Statement& a, const Statement& b) { return a.text == b.text; }
};

// `malformed` or `too_large` for the form: `typ`, members, their types, a server that isn't
// the signer's, a key that replaces itself. `signature_invalid` where the new key of a
// rotation hasn't proven itself over the same members, or a recovery isn't by the key that it
// replaces. The signature of a rotation or revocation is not looked at: see is_signed_by.
[[nodiscard]] Result<Statement> parse_statement(std::string_view jws, NameRules rules);
// The same of what was parsed before and kept since: no signature is looked at.
[[nodiscard]] Result<Statement> reread_statement(std::string_view jws);
// Whether `key` is the one that `signer` names and its signature verifies.
[[nodiscard]] bool is_signed_by(const Statement& statement, const PublicKey& key);

// `signer` is the key of `previous` or the recovery key; the new key signs the proof.
[[nodiscard]] std::string make_rotation(const ServerName& server, const KeyId& previous,
                                        const SigningKey& key, Millis at, const SigningKey& signer);
[[nodiscard]] std::string make_revocation(const ServerName& server, const KeyId& key, Millis at,
                                          std::string_view reason, const SigningKey& signer);
[[nodiscard]] std::string make_recovery(const ServerName& server, const SigningKey& previous,
                                        const PublicKey& key, Millis at);
// The same statement, proof included, in the name of another key: with it the recovery key
// stands for a rotation whose new key isn't at hand any more.
[[nodiscard]] std::string sign_again(const Statement& statement, const SigningKey& signer);

}  // namespace entente::protocol
