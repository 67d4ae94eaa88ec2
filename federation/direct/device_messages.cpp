#include "federation/direct/device_messages.hpp"

#include "federation/event_policy.hpp"

#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"
#include "storage/acquaintances.hpp"
#include "storage/device_store.hpp"
#include "storage/mailbox_store.hpp"

namespace entente::federation {

namespace {

constexpr std::size_t max_user_octets = 320;
constexpr std::size_t uuid_octets = 36;

// What the device is shown of the note: all but which device it is itself.
std::string shown_note(const SentNote& note, const std::string& type)
{
    auto out = R"({"txn":")" + note.txn.str() + R"(","type":)" + protocol::json_string(type) +
               R"(,"user":)" + protocol::json_string(note.user.str());
    if (note.device) out += R"(,"device":")" + note.device->str() + '"';
    return out + '}';
}

Result<SentNote> read_note(const std::string& text)
{
    protocol::RawMembers members{text, ""};
    SentNote note;
    note.own_device = members.uuid("own_device");
    note.txn = members.uuid("txn");
    note.user = protocol::UserId::trusted(members.text("user", max_user_octets));
    if (const auto device = members.may_text("device", uuid_octets)) {
        if (const auto read = protocol::parse_uuid(*device)) note.device = *read;
    }
    if (members.error()) return fail(Code::internal, "a stored note: " + members.error()->detail);
    return note;
}

}  // namespace

DeviceMessages::DeviceMessages(const Identity& identity,
                               std::function<void(const MailedDevice&)> came,
                               trust::policy::Enforcer* policies)
    : identity_(identity), came_(std::move(came)), policies_(policies)
{
}

Result<void> DeviceMessages::store(storage::WriteTransaction& transaction,
                                   const protocol::Event& event,
                                   const protocol::DeviceMessage& message,
                                   const std::string& source)
{
    auto& db = transaction.db();
    auto user = protocol::parse_user_id(event.to, identity_.names);
    if (!user || protocol::server_of(*user) != identity_.name)
        return refuse(Code::not_found, "no such user here");
    auto device = storage::find_device(db, protocol::localpart_of(*user), message.device);
    if (!device) return fail(device);
    if (!*device) return refuse(Code::not_found, "no such device");
    storage::MailRow row;
    row.source = source;
    row.sender = event.sender.text;
    if (event.device) row.sender_device = event.device->str();
    row.at = event.at;
    row.body = message.body;
    auto put = storage::put_mail(db, **device, row);
    if (!put) return fail(put);
    transaction.after_commit(
        [came = came_, to = MailedDevice{*user, message.device}] { came(to); });
    return {};
}

Result<void> DeviceMessages::take(storage::WriteTransaction& transaction,
                                  const VerifiedDirect& direct, const ServerName& origin)
{
    const auto& event = *direct.event;
    auto message = protocol::parse_device_message(direct.content);
    if (!message) return fail(message);
    if (event.sender.is_server) return refuse(Code::forbidden, "a device's message is a user's");
    ServerQuestion question{trust::policy::Action::device_send, origin, direct.tier,
                            identity_.name};
    question.user = event.sender.text;
    question.kind = trust::policy::ResourceKind::account;
    question.resource = event.to;
    question.octets = event.octets.size() + direct.content.size();
    // Of the others it would be looked up for each message, and nothing shipped depends on it.
    if (direct.tier < trust::Tier::known) {
        auto acquainted = storage::are_acquainted(transaction.db(), event.to, event.sender.text);
        if (!acquainted) return fail(acquainted);
        question.is_acquainted = *acquainted;
    }
    if (auto allowed = ask_policies(policies_, question); !allowed) return allowed;
    auto stored = store(transaction, event, *message, origin.str());
    if (!stored && stored.error().code == Code::rate_limited)
        return refuse(Code::forbidden, "the device's mailbox is full");
    return stored;
}

Result<void> DeviceMessages::refused(storage::WriteTransaction& transaction,
                                     const storage::DirectRow& row, Code problem, Millis now)
{
    auto& db = transaction.db();
    auto note = read_note(row.note);
    if (!note) return fail(note);
    const auto author = protocol::UserId::trusted(row.sender);
    auto mailbox = storage::find_device(db, protocol::localpart_of(author), note->own_device);
    if (!mailbox) return fail(mailbox);
    if (!*mailbox) return {};  // revoked since: nobody is left to be told
    storage::MailRow news;
    news.source = identity_.name.str();
    news.sender = note->user.str();
    news.at = now;
    news.problem = protocol::code_name(problem);
    news.body = shown_note(*note, row.type);
    auto put = storage::put_mail(db, **mailbox, news);
    // Who doesn't read his refusals can't be told more of them.
    if (!put) return put.error().code == Code::rate_limited ? Result<void>{} : fail(put);
    transaction.after_commit(
        [came = came_, to = MailedDevice{author, note->own_device}] { came(to); });
    return {};
}

std::string write_note(const SentNote& note)
{
    auto out = R"({"own_device":")" + note.own_device.str() + R"(","txn":")" + note.txn.str() +
               R"(","user":)" + protocol::json_string(note.user.str());
    if (note.device) out += R"(,"device":")" + note.device->str() + '"';
    return out + '}';
}

}  // namespace entente::federation
