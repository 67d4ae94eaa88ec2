// The mail of LocalPeople: messages of own devices on their way, and what own devices find
// in their mailboxes.
#include <algorithm>
#include <memory>
#include <utility>

#include "federation/people/local_people.hpp"
#include "storage/device_store.hpp"
#include "storage/incoming_store.hpp"
#include "storage/mailbox_store.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using protocol::UserId;
using storage::WriteTransaction;

constexpr char message_type[] = "device.message";
constexpr std::size_t page_octets = 128 * 1024;
constexpr std::size_t time_octets = 6;  // of a UUIDv7

// Each message of a request is an event of its own, and the same one when the request is
// repeated. It keeps the time of the client's txn: random ones cost more to remember [EVT-2].
Uuid txn_of(const Actor& actor, const DeviceSend& message, std::size_t index)
{
    const auto number = std::to_string(index);
    const auto hash =
        protocol::sha256({"entente-device-message-v1\n", actor.user.str(), "\n", actor.txn.bytes(),
                          "\n", message.user.str(), "\n", message.device.bytes(), "\n", number});
    Uuid txn = actor.txn;
    for (std::size_t i = time_octets; i < txn.octets.size(); ++i) txn.octets[i] = hash[i];
    txn.octets[6] = static_cast<std::uint8_t>((txn.octets[6] & 0x0fU) | 0x70U);
    txn.octets[8] = static_cast<std::uint8_t>((txn.octets[8] & 0x3fU) | 0x80U);
    return txn;
}

SendResult refused(Error problem)
{
    return {SendResult::State::refused, std::move(problem)};
}

// What is the message's own fault; the rest is ours, and fails the request.
bool is_verdict(Code code)
{
    return code == Code::not_found || code == Code::rate_limited || code == Code::too_large ||
           code == Code::malformed;
}

Result<std::int64_t> own_device(storage::Connection& db, const UserId& user, const Uuid& device)
{
    auto row = storage::find_device(db, protocol::localpart_of(user), device);
    if (!row) return fail(row);
    if (!*row) return refuse(Code::not_found, "no such device");
    return **row;
}

}  // namespace

LocalPeople::Outgoing LocalPeople::draft(const Actor& actor, const DeviceSend& message,
                                         std::size_t index) const
{
    Outgoing made;
    made.message = {message.device, message.message};
    made.server = protocol::server_of(message.user);
    if (message.refusal) {
        made.problem = message.refusal;
        return made;
    }
    if (message.message.size() > protocol::max_device_message_octets) {
        made.problem = refuse(Code::too_large, "a message is at most 60 KiB").value();
        return made;
    }
    made.content = protocol::write_device_message(
        made.message, protocol::to_base64url(parts_.random.octets(protocol::min_salt_octets)));
    protocol::EventDraft event;
    event.type = message_type;
    event.to = message.user.str();
    event.sender = actor.user.str();
    event.device = actor.device;
    event.txn = txn_of(actor, message, index);
    event.at = parts_.clock.now_ms();
    event.content = made.content;
    auto parsed = protocol::parse_direct_event(protocol::write_event(event), parts_.identity.names);
    if (!parsed) {
        made.problem = parsed.error();
        return made;
    }
    made.event = std::move(*parsed);
    if (actor.device)
        made.note = write_note({*actor.device, actor.txn, message.user, message.device});
    return made;
}

asio::awaitable<Result<std::vector<SendResult>>> LocalPeople::send(Actor actor,
                                                                   std::vector<DeviceSend> messages)
{
    auto drafts = std::make_shared<std::vector<Outgoing>>();
    for (std::size_t i = 0; i < messages.size(); ++i)
        drafts->push_back(draft(actor, messages[i], i));
    storage::Cause cause{actor.user.str(), 0};
    for (const auto& message : messages) cause.octets += 2 * message.message.size();
    using Results = std::vector<SendResult>;
    auto job = [this, drafts,
                sender = actor.user](WriteTransaction& transaction) -> Result<Results> {
        Results results;
        for (const auto& outgoing : *drafts) {
            auto handed = hand_in(transaction, outgoing, sender);
            if (!handed) return fail(handed);
            results.push_back(std::move(*handed));
        }
        return results;
    };
    auto results = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return results;
}

// What our own users send is remembered like what comes from elsewhere, with ourselves as the
// origin: a repeat finds it.
Result<SendResult> LocalPeople::hand_in(WriteTransaction& transaction, const Outgoing& outgoing,
                                        const UserId& sender)
{
    if (outgoing.problem) return refused(*outgoing.problem);
    auto& db = transaction.db();
    const bool is_here = outgoing.server == parts_.identity.name;
    const SendResult done{is_here ? SendResult::State::accepted : SendResult::State::pending, {}};
    auto self = parts_.store.server_id(db, parts_.identity.name);
    if (!self) return fail(self);
    // Of our own users' events the memory holds what was asked: their ids differ each time.
    const auto asked = protocol::sha256(outgoing.message.body);
    auto known = storage::find_direct_in(db, *self, outgoing.event.txn);
    if (!known) return fail(known);
    if (*known)
        return **known == asked
                   ? done
                   : refused(refuse(Code::conflict, "another message came under this txn").value());
    auto taken = is_here
                     ? messages_.store(transaction, outgoing.event, outgoing.message, sender.str())
                     : queue(transaction, outgoing, sender);
    if (!taken && is_verdict(taken.error().code)) return refused(taken.error());
    if (!taken) return fail(taken);
    auto remembered =
        storage::remember_direct_in(db, *self, outgoing.event.txn, asked, outgoing.event.at);
    if (!remembered) return fail(remembered);
    return done;
}

// [RETRY-3] What waits is bounded before it counts as sent.
Result<void> LocalPeople::queue(WriteTransaction& transaction, const Outgoing& outgoing,
                                const UserId& sender)
{
    auto& db = transaction.db();
    auto server = parts_.store.server_id(db, outgoing.server);
    if (!server) return fail(server);
    auto waiting = storage::count_users_direct(db, sender.str(), *server, message_type);
    if (!waiting) return fail(waiting);
    if (*waiting >= max_unsent_messages)
        return retry_later(Code::rate_limited, "too many messages wait for that server", 60);
    storage::DirectRow row;
    row.event = outgoing.event.octets;
    row.content = outgoing.content;
    row.sender = sender.str();
    row.type = message_type;
    row.note = outgoing.note;
    auto put = storage::put_users_direct(db, *server, row, outgoing.event.at);
    if (!put) return put;
    transaction.after_commit([wake = parts_.wake, peer = outgoing.server] { wake(peer); });
    return {};
}

asio::awaitable<Result<std::vector<MailItem>>> LocalPeople::mail_after(UserId user, Uuid device,
                                                                       std::int64_t after,
                                                                       std::size_t limit)
{
    using Items = std::vector<MailItem>;
    storage::Cause cause{user.str(), 0};
    auto job = [user = std::move(user), device, after,
                limit](storage::Connection& db) -> Result<Items> {
        auto row = own_device(db, user, device);
        if (!row) return fail(row);
        auto mail = storage::read_mail(db, *row, after, limit, page_octets);
        if (!mail) return fail(mail);
        Items items;
        for (auto& one : *mail)
            items.push_back({one.number, std::move(one.sender), std::move(one.sender_device),
                             one.at, std::move(one.problem), std::move(one.body)});
        return items;
    };
    auto items = co_await parts_.commits.read(std::move(job), std::move(cause));
    co_return items;
}

asio::awaitable<Result<void>> LocalPeople::acknowledge(UserId user, Uuid device,
                                                       std::int64_t number)
{
    storage::Cause cause{user.str(), 0};
    auto job = [user = std::move(user), device,
                number](WriteTransaction& transaction) -> Result<void> {
        auto row = own_device(transaction.db(), user, device);
        if (!row) return fail(row);
        return storage::acknowledge_mail(transaction.db(), *row, number);
    };
    auto done = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return done;
}

}  // namespace entente::federation
