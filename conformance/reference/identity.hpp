#pragma once

// The peer itself: its name, its keys and what it publishes of them. Its keys come from the
// journal, so they outlive it.

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/reference/clock.hpp"
#include "conformance/reference/flags.hpp"
#include "conformance/reference/journal.hpp"
#include "conformance/wire/keys.hpp"
#include "conformance/wire/message.hpp"

namespace entente::conformance::reference {

class Identity {
 public:
    // Octets and items of a transaction that it takes.
    static constexpr std::int64_t transaction_bytes = 4'194'304;
    static constexpr std::int64_t transaction_items = 1'000;

    Identity(std::string name, const Flags& flags, const PeerClock& clock, Journal& journal);

    // {"is":"recovery"} and {"is":"key"}.
    void replay(const nlohmann::json& record);
    // Makes the keys that a new server hasn't got yet.
    void make_keys();
    // A new signing key, with a statement.
    void rotate();

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] SigningKey key() const;
    // The octets of any signing key that it has, or has had; empty for others.
    [[nodiscard]] std::string octets_of(const std::string& key_id) const;

    [[nodiscard]] nlohmann::json document() const;
    // [DISC-5]
    [[nodiscard]] nlohmann::json key_set() const;

    // Of a root over `leaves`, dated now.
    [[nodiscard]] std::string sign_root(const std::vector<std::string>& leaves) const;
    // [SIG-10]; `request_signature` is the request's whole field.
    void sign_answer(Answer& answer, const std::string& request_signature) const;

 private:
    struct OwnKey {
        SigningKey key;
        std::int64_t from = 0;
    };

    const std::string name_;
    const Flags& flags_;
    const PeerClock& clock_;
    Journal& journal_;
    mutable std::mutex mutex_;
    // The last one signs.
    std::vector<OwnKey> keys_;
    std::vector<SigningKey> recovery_;
    std::vector<std::string> statements_;
};

}  // namespace entente::conformance::reference
