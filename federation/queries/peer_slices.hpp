// Parts of another server's copy of a log, asked for by signed queries [QRY-1] and computed
// anew: what the peer says of itself is taken only as far as hashes and the home's
// checkpoint bear it out. Stores nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "federation/gate/signed_client.hpp"
#include "federation/log/own_hashes.hpp"
#include "federation/log/verification.hpp"
#include "storage/epoch_store.hpp"

namespace entente::federation {

struct PeerSlice {
    protocol::Position after;
    std::vector<OwnEntry> entries;  // hashes as they follow from `after` and the entries
    std::int64_t latest = 0;
    // Where the home's checkpoint doesn't prove the entries, why not.
    std::optional<Error> unproven;

    [[nodiscard]] std::int64_t end() const
    {
        return entries.empty() ? after.seq : entries.back().at.seq;
    }
};

struct PeerSlicesParts {
    const Identity& identity;
    SignedClient& client;
    Verifier& verifier;
};

class PeerSlices {
 public:
    static constexpr std::int64_t most_entries = 1'000;  // [QRY-3]

    explicit PeerSlices(PeerSlicesParts parts) : parts_(parts) {}

    // The peer's entries behind `after`, of one epoch; `past` says who ordered those that are
    // over. `not_found` where the peer says so, or holds no
    // checkpoint within `limit` entries [QRY-4]; `malformed` for what can't be read or is of
    // another channel or an unknown epoch; else the errors of SignedClient. A peer that asks for a
    // patience of up to 30 s is asked again, three times.
    asio::awaitable<Result<PeerSlice>> ask(ServerName peer, const storage::ChannelRow& channel,
                                           const storage::PastHomes& past, std::int64_t after,
                                           std::int64_t limit);

 private:
    asio::awaitable<Result<protocol::LogAnswer>> query(ServerName peer, std::string target);
    asio::awaitable<Result<protocol::LogAnswer>> query_once(ServerName peer, std::string target);

    PeerSlicesParts parts_;
};

}  // namespace entente::federation
