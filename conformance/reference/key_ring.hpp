#pragma once

// What the peer believes of other servers' keys: pins of the first contact, and afterwards only
// what statements make of them [KEY-1 to KEY-4, KEY-10 to KEY-12]. Not for several threads at once.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/reference/flags.hpp"
#include "conformance/reference/jws.hpp"
#include "conformance/reference/server_document.hpp"

namespace entente::conformance::reference {

struct PinnedKey {
    std::string octets;
    // ms; when another key took its place, and from when on it is revoked.
    std::optional<std::int64_t> replaced_at{};
    std::optional<std::int64_t> revoked_at{};
    // It was shown as an old one when it was pinned [KEY-10].
    bool was_old = false;
};

struct Statement {
    std::string text;
    Jws jws;
    std::int64_t received_at = 0;
    // Those that came in one document count as received together.
    std::size_t batch = 0;
};

// One server's.
struct Pins {
    // As of the first contact.
    std::map<std::string, PinnedKey> first_keys;
    std::string first_recovery;
    std::vector<Statement> statements;
    std::size_t batches = 0;
    // What the statements make of it.
    std::map<std::string, PinnedKey> keys;
    // Recovery keys, by their octets, in their order; the last one counts.
    std::vector<std::string> recoveries;
    bool has_rivals = false;
    bool conflict = false;
    // The last document that agreed.
    ServerDocument document;
};

enum class KeyUse { request, seal };

class KeyRing {
 public:
    explicit KeyRing(const Flags& flags) : flags_(flags) {}

    // At first contact the document is pinned; afterwards its statements are applied, and what they
    // don't explain is a conflict. `now` in ms.
    void take(const ServerDocument& document, std::int64_t now);
    // Statements alone, handed on by anybody [KEY-6, LOG-6]; of servers that are pinned.
    void take_statements(const std::string& server, const std::vector<std::string>& statements,
                         std::int64_t now);

    [[nodiscard]] const Pins* find(const std::string& server) const;
    // A pinned key, whatever its status; null where there is none.
    [[nodiscard]] const PinnedKey* find(const std::string& server, const std::string& id) const;
    // Throws Refused("key-revoked") where it may not sign that now [KEY-2, KEY-9].
    void check_usable(const PinnedKey& key, std::int64_t now, KeyUse use) const;
    // For mutants: whose key it is, whoever that may be; empty where nobody has it.
    [[nodiscard]] std::string owner_of(const std::string& id) const;
    [[nodiscard]] std::size_t size() const { return pins_.size(); }

 private:
    void add_statements(Pins& pins, const std::string& server,
                        const std::vector<std::string>& texts, std::int64_t now) const;
    void settle(Pins& pins) const;
    void settle_recoveries(Pins& pins) const;
    struct Candidate {
        const Statement* statement;
        ShownKey key;
        bool by_recovery;
    };
    [[nodiscard]] std::vector<Candidate> candidates_for(const Pins& pins, const std::string& id,
                                                        const PinnedKey& previous) const;
    [[nodiscard]] bool are_rivals(const std::vector<Candidate>& candidates) const;
    void put_in_place(Pins& pins, const std::string& id,
                      const std::vector<Candidate>& candidates) const;
    void settle_rotations(Pins& pins) const;
    void settle_revocations(Pins& pins) const;
    [[nodiscard]] bool agrees(const Pins& pins, const ServerDocument& document) const;

    const Flags& flags_;
    std::map<std::string, Pins> pins_;
};

}  // namespace entente::conformance::reference
