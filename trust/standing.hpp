// What is proven of another server's conduct, and which tier follows from it where nobody has
// put the server into one. Pure: what is noted where is federation/conduct's, what is kept is
// storage/standing_store's. There is no word for what isn't proven: a request with a bad
// signature "from" a.example says nothing of a.example and can't be written down here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/clock.hpp"
#include "trust/conduct_figures.hpp"
#include "trust/key_ring.hpp"
#include "trust/tier.hpp"

namespace entente::trust {

enum class Offence : std::uint8_t {
    malformed,      // items that no reader can take
    unentitled,     // items in the name of somebody else
    equivocation,   // two events under one txn
    fork,           // two histories of one channel
    key_conflict,   // a document that contradicts the pinned keys
    upheld_report,  // what moderators have found to be so, of several reporters
};
[[nodiscard]] std::string_view to_text(Offence offence);
[[nodiscard]] std::optional<Offence> offence_from(std::string_view text);

// What was signed, and what that covers, as they are kept in evidence.
inline constexpr std::size_t max_signed_octets = 20 * 1024;
inline constexpr std::size_t max_shown_octets = 24 * 1024;
inline constexpr std::size_t max_evidence_octets = 64 * 1024;

// That something is a server's own doing. Made by verifying its signature under a key that is
// pinned for it, or of pins that its document contradicts; by nothing else.
class Proof {
 public:
    // `octets` is what the key has signed, `shown` what they cover (a body by its digest); a
    // longer one is left out of the evidence. `unknown_key`, `key_revoked`: whoever has stolen it
    // may have signed; `signature_invalid`, `too_large`.
    [[nodiscard]] static Result<Proof> of_signature(const KeyRing& ring, const KeyRef& by,
                                                    std::string_view signature,
                                                    std::string_view octets,
                                                    std::string_view shown);
    // `shown` is the document that contradicts the pins; a longer one than max_shown_octets is left
    // out of the evidence. `malformed` where these pins aren't in conflict.
    [[nodiscard]] static Result<Proof> of_conflict(const PinnedServer& pins,
                                                   std::string_view shown = {});
    // What else there is to see: of a fork the channel and the seq at which the histories differ,
    // under which all of it is kept (storage/evidence_store); of an equivocation the event that
    // came `first`. What would make the evidence too long is left out.
    void note_place(const protocol::ChannelId& channel, std::int64_t seq);
    void note_first(std::string_view event);

    [[nodiscard]] const ServerName& server() const { return server_; }
    // A JSON object of at most max_evidence_octets: `key`, `signed`, `signature` and `shown`, the
    // last three in base64url; of a conflict `server`, `conflict` and `shown`. With what was noted:
    // `channel` and `seq`, `first` in base64url.
    [[nodiscard]] const std::string& evidence() const { return evidence_; }

 private:
    Proof(ServerName server, std::string evidence);
    void add(std::string_view members);

    ServerName server_;
    std::string evidence_;
};

// What is remembered of one server.
struct ServerStanding {
    Millis first_contact = 0;   // of its first accepted event; 0: none yet
    std::int64_t accepted = 0;  // events
    std::int64_t falls = 0;     // that were not pardoned
    Millis fallen_until = 0;    // 0: never fallen
    Millis last_upheld = 0;     // the last upheld report that counts; 0: none
    friend bool operator==(const ServerStanding&, const ServerStanding&) = default;
};

struct Fall {
    ServerName server;
    Offence offence = Offence::malformed;
    Millis at = 0;
    Millis until = 0;
    std::string evidence;
    friend bool operator==(const Fall&, const Fall&) = default;
};

// Of a server's upheld reports in the window, each set once.
struct UpheldReports {
    std::int64_t reporters = 0;
    std::int64_t messages = 0;
    friend bool operator==(const UpheldReports&, const UpheldReports&) = default;
};
[[nodiscard]] bool fells(const UpheldReports& reports, const ConductFigures& figures);

// Whether a tier can follow from it: who has neither earned nor lost anything yet is as good as a
// stranger. storage/standing_store selects by the same.
[[nodiscard]] bool says_something(const ServerStanding& standing, const ConductFigures& figures);
[[nodiscard]] bool is_fallen(const ServerStanding& standing, Millis now);
// Of a server that nobody has put into a tier and that starts as `first`: known where a guest has
// earned it, quarantined at best while it is fallen. A fall that isn't pardoned bars from known,
// and so does an upheld report for report_bars_days.
[[nodiscard]] Tier tier_by_conduct(const ServerStanding& standing, Tier first,
                                   const ConductFigures& figures, Millis now);
void count_accepted(ServerStanding& standing, std::int64_t events, Millis now);
// The fall that an offence is. Nothing while an earlier one lasts: an offence within it doesn't
// double it.
[[nodiscard]] std::optional<Fall> fall_of(ServerStanding& standing, Offence offence,
                                          const Proof& proof, const ConductFigures& figures,
                                          Millis now);
// Nothing of its falls is left.
void forget_falls(ServerStanding& standing);
// The administrator's: nothing is left but what it was accepted for.
void pardon(ServerStanding& standing);

}  // namespace entente::trust
