#include "federation/people/announcer.hpp"

#include <chrono>
#include <utility>

#include "protocol/json_rules.hpp"
#include "storage/acquaintances.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

constexpr std::chrono::seconds retry_pause{5};

}  // namespace

void Announcer::start()
{
    again_ = true;
    if (is_running_) return;
    is_running_ = true;
    parts_.tasks.spawn(run());
}

asio::awaitable<void> Announcer::run()
{
    struct Ending {
        bool& is_running;
        ~Ending() { is_running = false; }
    };
    const Ending ending{is_running_};
    while (std::exchange(again_, false)) {
        for (;;) {
            auto told = co_await tell_next();
            if (told && !*told) break;
            if (told) continue;
            // A passing trouble of the store: it is durable, and so tried again.
            again_ = true;
            const bool go_on = co_await net::sleep_for(retry_pause);
            if (!go_on) co_return;
            break;
        }
    }
}

// Who shares a channel with a user is read beside the writer, which everyone waits for.
asio::awaitable<Result<bool>> Announcer::tell_next()
{
    struct Next {
        std::vector<storage::AnnouncementRow> rows;  // one, or none
        std::vector<std::string> servers;
    };
    auto read = [self = parts_.identity.name](storage::Connection& db) -> Result<Next> {
        Next next;
        auto rows = storage::next_announcements(db, 1);
        if (!rows) return fail(rows);
        next.rows = std::move(*rows);
        if (next.rows.empty()) return next;
        auto servers =
            storage::servers_with(db, next.rows.front().user, self.str(), max_servers_told);
        if (!servers) return fail(servers);
        next.servers = std::move(*servers);
        return next;
    };
    auto next = co_await parts_.commits.read(std::move(read));
    if (!next) co_return fail(next);
    if (next->rows.empty()) co_return false;
    auto write = [this, row = next->rows.front(), servers = std::move(next->servers)](
                     storage::WriteTransaction& transaction) -> Result<void> {
        for (const auto& name : servers) {
            auto queued = queue(transaction, row, ServerName::trusted(name));
            if (!queued) return queued;
        }
        return storage::drop_announcement(transaction.db(), row.id);
    };
    auto done = co_await parts_.commits.write(std::move(write));
    if (!done) co_return fail(done);
    co_return true;
}

// One that waits is replaced, under a txn of its own: the one that waits may be under way
// already, and say less.
Result<void> Announcer::queue(storage::WriteTransaction& transaction,
                              const storage::AnnouncementRow& row, const ServerName& server)
{
    auto id = parts_.store.server_id(transaction.db(), server);
    if (!id) return fail(id);
    const auto now = parts_.clock.now_ms();
    storage::DirectRow direct;
    direct.content = R"({"salt":)" +
                     protocol::json_string(
                         protocol::to_base64url(parts_.random.octets(protocol::min_salt_octets))) +
                     "}";
    protocol::EventDraft event;
    event.type = row.type;
    event.to = server.str();
    event.sender = row.user;
    event.txn = protocol::make_uuid7(now, parts_.random);
    event.at = now;
    event.content = direct.content;
    direct.event = protocol::write_event(event);
    direct.sender = row.user;
    direct.type = row.type;
    auto put = storage::replace_users_direct(transaction.db(), *id, direct, now);
    if (!put) return put;
    transaction.after_commit([wake = parts_.wake, server] { wake(server); });
    return {};
}

}  // namespace entente::federation
