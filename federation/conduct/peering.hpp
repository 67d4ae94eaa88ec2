// Peering [INBOX-19]: two administrators agree that their servers trust each other. Each side
// says whether it wants to; while both do, each holds the other as trusted. What an entry of the
// administrator's says counts before it.
#pragma once

#include <functional>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "federation/conduct/mandate.hpp"
#include "federation/direct/direct.hpp"
#include "federation/identity.hpp"
#include "federation/log/home_log.hpp"
#include "protocol/log.hpp"
#include "storage/group_commit.hpp"
#include "storage/outgoing_store.hpp"
#include "storage/peering_store.hpp"
#include "trust/tiers.hpp"

namespace entente::federation {

inline constexpr std::string_view peering_type = "peering";

struct PeeringParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    storage::GroupCommit& commits;
    trust::Tiers& tiers;
    protocol::Log& log;
    const protocol::Clock& clock;
    protocol::Random& random;
    Wake urge;  // there may be a word for that server: at once, whatever was waited for
};

class Peering {
 public:
    explicit Peering(PeeringParts parts) : parts_(std::move(parts)) {}

    // What was agreed, before the first request.
    asio::awaitable<Result<void>> load();

    // The administrator's word, durable and on its way when it returns; what stands then.
    // accept: `conflict` where the other side hasn't proposed. end: `not_found` where there is
    // neither a peering nor a proposal. Besides, the errors of `by`.
    enum class Wish : std::uint8_t { propose, accept, end };
    asio::awaitable<Result<storage::PeeringRow>> say(Mandate by, ServerName server, Wish wish);

    // The handler of `peering`. `forbidden` from a user, from a server that is blocked, and where
    // too many proposals are open.
    [[nodiscard]] Result<void> take(storage::WriteTransaction& transaction,
                                    const VerifiedDirect& direct, const ServerName& origin);
    // The other side has refused our proposal, or our acceptance: it stands no more, which the
    // administrator is told.
    [[nodiscard]] Result<void> refused(storage::WriteTransaction& transaction,
                                       const storage::DirectRow& word, protocol::Code problem);

 private:
    [[nodiscard]] Result<storage::PeeringRow> settle(storage::WriteTransaction& transaction,
                                                     const Mandate& by, const ServerName& server,
                                                     Wish wish);
    [[nodiscard]] Result<void> send(storage::WriteTransaction& transaction,
                                    const ServerName& server, bool wants);
    // On the I/O thread.
    void hold(const storage::PeeringRow& row);

    PeeringParts parts_;
};

}  // namespace entente::federation
