// Whether this server and a peer hold the same log of a channel, or which is the first entry
// in which they differ. Equal hashes at one entry mean equal entries up to it, so most often
// one query is enough; otherwise the first difference is found by halving. This server's own
// copy is computed anew from its entries each time, the peer's only where `all` asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "federation/queries/peer_slices.hpp"
#include "storage/peer_reader.hpp"

namespace entente::federation {

enum class Sameness : std::uint8_t {
    same,         // up to `through`
    differs,      // from `difference` on
    damaged,      // `flaw`: what is stored here has been changed, though no hash of it differs
    incomparable  // `why` says it
};
[[nodiscard]] std::string_view to_text(Sameness sameness);

struct LogDifference {
    std::int64_t seq = 0;
    OwnEntry here;
    std::optional<OwnEntry> there;  // where the peer shows it
    bool is_signed = false;         // there, by the home's checkpoint
};

struct Comparison {
    protocol::ChannelId channel;
    ServerName home;
    Sameness sameness = Sameness::incomparable;
    std::int64_t after = 0;    // entries behind this were compared
    std::int64_t through = 0;  // up to this
    std::int64_t here = 0;     // newest
    std::int64_t there = 0;    // as far as the peer says
    std::optional<LogDifference> difference;
    std::optional<storage::LogFlaw> flaw;  // of what is stored here
    std::string why;
};

struct LogComparisonParts {
    const Identity& identity;
    SignedClient& client;
    Verifier& verifier;
    storage::GroupCommit& commits;
};

class LogComparison {
 public:
    explicit LogComparison(LogComparisonParts parts) : parts_(parts) {}

    // `not_found` where the channel isn't held here; other errors are of this server's store.
    // What keeps the two from being compared is in the Comparison. `all`: has every entry of
    // the peer's sent and computes it too, which finds what was changed in a copy whose hashes
    // stayed. Memory: one slice and one block of OwnHashes.
    asio::awaitable<Result<Comparison>> compare(ServerName peer, protocol::ChannelId channel,
                                                bool all);

 private:
    LogComparisonParts parts_;
};

}  // namespace entente::federation
