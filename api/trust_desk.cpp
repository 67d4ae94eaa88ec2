#include "api/trust_desk.hpp"

#include <map>
#include <utility>

namespace entente::api {

namespace {

using protocol::ServerName;
using storage::TierEntry;
using trust::Source;
using trust::Tier;
namespace policy = trust::policy;

struct ReadServer {
    ServerName server;

    Result<ShownServer> operator()(storage::Connection& db) const
    {
        ShownServer shown;
        shown.server = server;
        auto own = storage::tier_entries_of(db, Source::administrator, server, 1);
        if (!own) return fail(own);
        if (!own->empty()) shown.administrator = std::move(own->front());
        auto listed = storage::tier_entries_of(db, Source::list, server, max_lists_shown);
        if (!listed) return fail(listed);
        shown.lists = std::move(*listed);
        auto standing = storage::find_standing(db, server);
        if (!standing) return fail(standing);
        shown.standing = *standing;
        auto peering = storage::find_peering(db, server);
        if (!peering) return fail(peering);
        shown.peering = std::move(*peering);
        return shown;
    }
};

struct ReadEntries {
    Source source = Source::administrator;
    std::string after;
    std::size_t limit = 0;

    Result<std::vector<TierEntry>> operator()(storage::Connection& db) const
    {
        auto said = storage::tiers_said(db, source, after, limit);
        if (!said) return fail(said);
        std::vector<TierEntry> entries;
        for (const auto& [server, tier] : *said) {
            auto strictest = storage::tier_entries_of(db, source, server, 1);
            if (!strictest) return fail(strictest);
            for (auto& entry : *strictest) entries.push_back(std::move(entry));
        }
        return entries;
    }
};

// A list as it came, on a reader's thread: 8 MiB are no work for the one that all others wait for.
struct ParsedList {
    std::vector<TierEntry> entries;
    ImportedList found;
};

struct ParseList {
    std::string csv;
    protocol::NameRules rules;
    ServerName self;
    protocol::Millis now = 0;

    Result<ParsedList> operator()(storage::Connection& /*db*/) const
    {
        auto list = trust::parse_server_list(csv, rules);
        if (!list) return fail(list);
        ParsedList parsed;
        parsed.found.ignored = list->ignored;
        parsed.found.bad_lines = list->bad_lines;
        parsed.found.bad = std::move(list->bad);
        for (auto& entry : list->entries) {
            // Whoever lists this server has nothing to say here.
            if (entry.server == self) {
                ++parsed.found.ignored;
                continue;
            }
            parsed.entries.push_back(
                {std::move(entry.server), entry.tier, std::move(entry.comment), now});
        }
        parsed.found.imported = parsed.entries.size();
        return parsed;
    }
};

struct WriteList {
    trust::Tiers::Entries configured;

    Result<std::string> operator()(storage::Connection& db) const
    {
        auto listed = storage::tier_entries(db, Source::list, trust::max_entries);
        if (!listed) return fail(listed);
        auto own = storage::tier_entries(db, Source::administrator, trust::max_entries);
        if (!own) return fail(own);
        std::map<ServerName, trust::ListEntry> chosen;
        const auto as_listed = [](TierEntry& row) {
            return trust::ListEntry{row.server, row.tier, std::move(row.comment),
                                    std::move(row.origin)};
        };
        // The strictest list's word comes first; the administrator's, which wins, last.
        for (auto& row : *listed) chosen.try_emplace(row.server, as_listed(row));
        for (const auto& [server, tier] : configured) chosen[server] = {server, tier, ""};
        for (auto& row : *own) chosen[row.server] = as_listed(row);
        std::vector<trust::ListEntry> entries;
        for (auto& [server, entry] : chosen) {
            if (entry.tier < Tier::guest) entries.push_back(std::move(entry));
        }
        return trust::write_server_list(entries);
    }
};

}  // namespace

std::optional<federation::Peering::Wish> peering_wish_from(std::string_view text)
{
    using Wish = federation::Peering::Wish;
    if (text == "propose") return Wish::propose;
    if (text == "accept") return Wish::accept;
    if (text == "end") return Wish::end;
    return std::nullopt;
}

federation::Mandate TrustDesk::mandate_of(Administrator by, std::string object) const
{
    federation::Mandate mandate{by.name};
    mandate.permit = [this, by = std::move(by),
                      object = std::move(object)](storage::Connection& db) {
        const Act act{policy::Action::peer_change, policy::ResourceKind::server, object};
        return check_act(db, parts_.policies, parts_.server, by, act, parts_.clock.now_ms());
    };
    return mandate;
}

trust::Verdicted TrustDesk::verdict(const ServerName& server) const
{
    return parts_.tiers.explain(server, parts_.in_conflict(server), parts_.clock.now_ms());
}

asio::awaitable<Result<ShownServer>> TrustDesk::show(ServerName server)
{
    ReadServer job{server};
    auto shown = co_await parts_.commit.read(std::move(job));
    if (!shown) co_return shown;
    shown->verdict = verdict(server);
    shown->mode = parts_.tiers.mode();
    shown->configured = parts_.tiers.configured(server);
    co_return shown;
}

asio::awaitable<Result<std::vector<TierEntry>>> TrustDesk::entries(Source source, std::string after,
                                                                   std::size_t limit)
{
    ReadEntries job{source, std::move(after), limit};
    auto read = co_await parts_.commit.read(std::move(job));
    co_return read;
}

asio::awaitable<Result<std::vector<storage::FallRow>>> TrustDesk::falls(
    std::optional<ServerName> server, std::int64_t before, std::size_t limit)
{
    auto job = [server = std::move(server), before, limit](storage::Connection& db) {
        return storage::falls(db, server, before, limit);
    };
    auto rows = co_await parts_.commit.read(std::move(job));
    co_return rows;
}

asio::awaitable<Result<std::vector<storage::PeeringRow>>> TrustDesk::peerings()
{
    auto job = [](storage::Connection& db) { return storage::peerings(db); };
    auto rows = co_await parts_.commit.read(std::move(job));
    co_return rows;
}

asio::awaitable<Result<std::string>> TrustDesk::export_list()
{
    WriteList job{parts_.tiers.configuration()};
    auto csv = co_await parts_.commit.read(std::move(job));
    co_return csv;
}

asio::awaitable<Result<trust::Verdicted>> TrustDesk::set(Administrator by, ServerName server,
                                                         Tier tier, std::string comment)
{
    if (server == parts_.server) co_return refuse(Code::malformed, "that is this server itself");
    if (comment.size() > trust::max_comment_octets)
        co_return refuse(Code::malformed, "/comment: over 512 octets");
    if (!protocol::check_json(protocol::json_string(comment)))
        co_return refuse(Code::malformed, "/comment: text in UTF-8 is needed");
    TierEntry entry{server, tier, std::move(comment), parts_.clock.now_ms()};
    auto mandate = mandate_of(std::move(by), server.str());
    auto put =
        co_await parts_.conduct.put(std::move(mandate), Source::administrator, std::move(entry));
    if (!put) co_return fail(put);
    co_return verdict(server);
}

asio::awaitable<Result<trust::Verdicted>> TrustDesk::unset(Administrator by, ServerName server)
{
    auto mandate = mandate_of(std::move(by), server.str());
    auto dropped = co_await parts_.conduct.drop(std::move(mandate), Source::administrator, server);
    if (!dropped) co_return fail(dropped);
    if (!*dropped) co_return refuse(Code::not_found, "nobody has set " + server.str() + " here");
    co_return verdict(server);
}

asio::awaitable<Result<trust::Verdicted>> TrustDesk::pardon(Administrator by, ServerName server)
{
    auto mandate = mandate_of(std::move(by), server.str());
    auto pardoned = co_await parts_.conduct.pardon(std::move(mandate), server);
    if (!pardoned) co_return fail(pardoned);
    if (!*pardoned) co_return refuse(Code::not_found, server.str() + " has nothing to be pardoned");
    co_return verdict(server);
}

asio::awaitable<Result<ImportedList>> TrustDesk::import(Administrator by, ListWish wish)
{
    if (!trust::is_list_name(wish.list))
        co_return refuse(Code::malformed, "a list's name is 1 to 64 of A-Z a-z 0-9 . _ -");
    ParseList job{std::move(wish.csv), parts_.names, parts_.server, parts_.clock.now_ms()};
    auto parsed = co_await parts_.commit.read(std::move(job));
    if (!parsed) co_return fail(parsed);
    auto mandate = mandate_of(std::move(by), wish.list);
    federation::ListImport import{std::move(wish.list), std::move(parsed->entries), wish.replaces};
    auto dropped = co_await parts_.conduct.import(std::move(mandate), std::move(import));
    if (!dropped) co_return fail(dropped);
    parsed->found.dropped = *dropped;
    co_return std::move(parsed->found);
}

asio::awaitable<Result<storage::PeeringRow>> TrustDesk::peer(Administrator by, ServerName server,
                                                             federation::Peering::Wish wish)
{
    if (!parts_.federates) co_return refuse(Code::unavailable, "federation is switched off");
    auto mandate = mandate_of(std::move(by), server.str());
    auto row = co_await parts_.peering.say(std::move(mandate), std::move(server), wish);
    co_return row;
}

}  // namespace entente::api
