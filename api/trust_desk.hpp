// What administrators do about other servers: see in which tier one is and why, put it into
// another, pardon it, import and export lists, propose and end peerings. One way for the client API
// and for the control socket; every act is in the audit log. For the I/O executor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/administration.hpp"
#include "federation/conduct/conduct.hpp"
#include "federation/conduct/peering.hpp"
#include "storage/peering_store.hpp"
#include "storage/standing_store.hpp"
#include "trust/server_list.hpp"
#include "trust/tiers.hpp"

namespace entente::api {

struct TrustDeskParts {
    storage::GroupCommit& commit;
    trust::policy::Enforcer& policies;
    const trust::Tiers& tiers;
    federation::Conduct& conduct;
    federation::Peering& peering;
    // Whether its keys are disputed [KEY-4].
    std::function<bool(const protocol::ServerName& server)> in_conflict;
    const protocol::Clock& clock;
    protocol::ServerName server;
    protocol::NameRules names;
    bool federates = true;  // else there is nobody to propose a peering to
};

// What is shown of the lists that name a server.
inline constexpr std::size_t max_lists_shown = 100;

struct ShownServer {
    protocol::ServerName server;
    trust::Verdicted verdict;
    trust::Mode mode = trust::Mode::open;
    std::optional<storage::TierEntry> administrator;
    std::optional<trust::Tier> configured;
    std::vector<storage::TierEntry> lists;  // the strictest first
    // What has come since the last time that it was written isn't counted yet.
    trust::ServerStanding standing;
    std::optional<storage::PeeringRow> peering;
};

struct ListWish {
    std::string list;
    std::string csv;        // at most trust::max_list_octets
    bool replaces = false;  // what the list doesn't name any more goes
};
struct ImportedList {
    std::size_t imported = 0;
    std::size_t ignored = 0;  // that say nothing, or name this server
    std::size_t dropped = 0;
    std::size_t bad_lines = 0;
    std::vector<trust::BadLine> bad;  // the first of them
};

[[nodiscard]] std::optional<federation::Peering::Wish> peering_wish_from(std::string_view text);

class TrustDesk {
 public:
    explicit TrustDesk(TrustDeskParts parts) : parts_(std::move(parts)) {}

    // For whoever has been let in.
    [[nodiscard]] trust::Verdicted verdict(const protocol::ServerName& server) const;
    asio::awaitable<Result<ShownServer>> show(protocol::ServerName server);
    // Whom that source names, by name, behind `after`: the strictest word on each.
    asio::awaitable<Result<std::vector<storage::TierEntry>>> entries(trust::Source source,
                                                                     std::string after,
                                                                     std::size_t limit);
    // As storage::falls.
    asio::awaitable<Result<std::vector<storage::FallRow>>> falls(
        std::optional<protocol::ServerName> server, std::int64_t before, std::size_t limit);
    asio::awaitable<Result<std::vector<storage::PeeringRow>>> peerings();
    // What this server blocks or quarantines by anybody's word, as CSV: not what the servers
    // brought on themselves, which others can't judge.
    asio::awaitable<Result<std::string>> export_list();

    // `forbidden` as policies say. Of this server itself, or with a comment over
    // trust::max_comment_octets, `malformed`.
    asio::awaitable<Result<trust::Verdicted>> set(Administrator by, protocol::ServerName server,
                                                  trust::Tier tier, std::string comment);
    // The administrator's entry of before. `not_found`.
    asio::awaitable<Result<trust::Verdicted>> unset(Administrator by, protocol::ServerName server);
    // Its falls and their evidence are gone. `not_found`.
    asio::awaitable<Result<trust::Verdicted>> pardon(Administrator by, protocol::ServerName server);
    // Lines that can't be read are left out and told. As Conduct::import.
    asio::awaitable<Result<ImportedList>> import(Administrator by, ListWish wish);
    // `unavailable` where this server doesn't federate; as Peering::say.
    asio::awaitable<Result<storage::PeeringRow>> peer(Administrator by, protocol::ServerName server,
                                                      federation::Peering::Wish wish);

 private:
    [[nodiscard]] federation::Mandate mandate_of(Administrator by, std::string object) const;

    TrustDeskParts parts_;
};

}  // namespace entente::api
