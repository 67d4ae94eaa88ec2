#include "federation/log/succession.hpp"

#include <memory>
#include <utility>

#include "federation/log/following.hpp"
#include "federation/log/waited_events.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/problem.hpp"
#include "protocol/raw_members.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using protocol::json_string;
using storage::LiveChannel;
using storage::MoveRow;
using storage::WriteTransaction;

constexpr std::size_t salt_octets = 16;

// Own events that one commit appends where a channel comes here; the rest follows.
constexpr std::size_t most_appended_at_once = 500;

std::string salt(protocol::Random& random)
{
    return R"({"salt":)" + json_string(protocol::to_base64url(random.octets(salt_octets)));
}

// Why the new home's answer is no consent to what was asked.
Code refusal_in(const protocol::EventResult& result)
{
    using protocol::ItemStatus;
    if (result.status == ItemStatus::ignored) return Code::unsupported;
    if (result.status == ItemStatus::rejected && result.problem) return result.problem->code;
    return Code::malformed;
}

}  // namespace

Result<MoveQuestion> read_move_question(std::string_view content, protocol::NameRules rules)
{
    auto object = protocol::checked_object(content);
    if (!object) return fail(object);
    protocol::RawMembers members{*object, ""};
    const auto channel = members.text("channel", protocol::max_name_octets);
    const auto epoch = members.integer("epoch", 1, protocol::max_json_integer - 1);
    if (members.error()) return protocol::Failure{*members.error()};
    auto name = protocol::parse_channel_id(channel, rules);
    if (!name) return refuse(Code::malformed, "/channel: not a channel's id");
    return MoveQuestion{std::move(*name), epoch};
}

Moving standing_of(const MoveRow& move)
{
    Moving moving{move.home, DeliveryState::pending, move.seq, std::nullopt};
    if (move.seq > 0) moving.state = DeliveryState::accepted;
    if (move.problem.empty()) return moving;
    moving.state = DeliveryState::rejected;
    const auto code = protocol::code_from_name(move.problem).value_or(Code::forbidden);
    moving.problem = Error{code, "the channel can't move there", {}, 0};
    return moving;
}

Result<Moving> Succession::wish(WriteTransaction& transaction, const Actor& actor,
                                const protocol::ChannelId& name, const ServerName& home)
{
    auto& db = transaction.db();
    auto found = parts_.store.find(db, name);
    if (!found && found.error().code != Code::not_found) return fail(found);
    if (!found || !(*found)->state.is_member(actor.user.str()))
        return refuse(Code::not_found, "no such channel");
    auto& channel = **found;
    auto last = storage::find_move(db, channel.id);
    if (!last) return fail(last);
    if (*last && (*last)->txn == actor.txn) {
        if ((*last)->user != actor.user.str())
            return refuse(Code::conflict, "another user's event has this txn");
        if ((*last)->home != home)
            return refuse(Code::conflict, "/txn: came before with another home");
        return standing_of(**last);
    }
    // The channel.move will bear it.
    auto taken = parts_.store.find_txn(db, channel, parts_.identity.name, actor.txn);
    if (!taken) return fail(taken);
    if (*taken) return refuse(Code::conflict, "/txn: came before with something else");
    if (auto may = check_wish(channel, actor, home); !may) return fail(may);
    // What the one before is answered is of no concern any more.
    const bool is_asked = *last && (*last)->is_open();
    auto dropped = is_asked ? storage::drop_direct(db, (*last)->question) : Result<void>{};
    if (!dropped) return fail(dropped);
    MoveRow move;
    move.home = home;
    move.user = actor.user.str();
    move.device = actor.device;
    move.txn = actor.txn;
    return ask(transaction, channel, std::move(move));
}

// What the fold would refuse in the end is told at once.
Result<void> Succession::check_wish(const LiveChannel& channel, const Actor& actor,
                                    const ServerName& home) const
{
    if (channel.home != parts_.identity.name)
        return refuse(Code::not_home, "an owner who is a user of the channel's home moves it");
    const auto member = channel.state.members.find(actor.user.str());
    if (member == channel.state.members.end() || member->second != protocol::Role::owner)
        return refuse(Code::forbidden, "only owners may do this");
    if (home == channel.home) return refuse(Code::forbidden, "the channel is there already");
    if (!channel.state.has_member_of(home))
        return refuse(Code::forbidden, "the new home has no member here");
    return {};
}

Result<Moving> Succession::ask(WriteTransaction& transaction, LiveChannel& channel, MoveRow move)
{
    auto& db = transaction.db();
    const auto now = parts_.clock.now_ms();
    storage::DirectRow row;
    row.type = move_question_type;
    row.content = salt(parts_.random) + R"(,"channel":)" + json_string(channel.name.str()) +
                  R"(,"epoch":)" + std::to_string(channel.epoch) + "}";
    protocol::EventDraft draft;
    draft.type = row.type;
    draft.to = move.home.str();
    draft.sender = parts_.identity.name.str();
    draft.txn = protocol::make_uuid7(now, parts_.random);
    draft.at = now;
    draft.content = row.content;
    row.event = protocol::write_event(draft);
    auto server = parts_.store.server_id(db, move.home);
    if (!server) return fail(server);
    auto put = storage::put_users_direct(db, *server, row, now);
    if (!put) return fail(put);
    move.question = db.last_insert_id();
    auto kept = storage::put_move(db, channel.id, move);
    if (!kept) {
        parts_.store.abandon(channel, kept.error());
        return fail(kept);
    }
    transaction.after_commit([wake = parts_.wake, home = move.home] { wake(home); });
    return standing_of(move);
}

Result<bool> Succession::answered(WriteTransaction& transaction, const storage::DirectRow& row,
                                  const protocol::EventResult& result,
                                  const std::optional<protocol::Consent>& consent)
{
    auto& db = transaction.db();
    auto asked = storage::asked_by(db, row.id);
    if (!asked) return fail(asked);
    if (!*asked) return true;
    auto found = parts_.store.find(db, **asked);
    if (!found) return fail(found);
    auto& channel = **found;
    auto move = storage::find_move(db, channel.id);
    if (!move) return fail(move);
    const bool fits = consent && consent->channel == channel.name &&
                      consent->home == (*move)->home && consent->epoch == channel.epoch + 1;
    auto seq = fits ? append_move(transaction, channel, **move, *consent)
                    : Result<std::int64_t>{fail(refusal_in(result), "there is no consent")};
    if (!seq && fits && is_passing(seq.error())) return false;
    const auto problem = seq ? std::string_view{} : protocol::code_name(seq.error().code);
    auto ended = storage::end_move(db, channel.id, seq.value_or(0), problem);
    if (!ended) {
        parts_.store.abandon(channel, ended.error());
        return fail(ended);
    }
    transaction.after_commit(
        [this, name = channel.name, home = (*move)->home, problem, has_moved = seq.has_value()] {
            if (has_moved)
                protocol::log_info(parts_.log, "channel_log", "a channel has moved to another home",
                                   {{"channel", name.str()}, {"home", home.str()}});
            else
                protocol::log_warning(
                    parts_.log, "channel_log", "a channel does not move",
                    {{"channel", name.str()}, {"home", home.str()}, {"problem", problem}});
        });
    return true;
}

Result<std::int64_t> Succession::append_move(WriteTransaction& transaction, LiveChannel& channel,
                                             const MoveRow& move, const protocol::Consent& consent)
{
    const auto user = protocol::UserId::trusted(move.user);
    const auto content = salt(parts_.random) + R"(,"home":)" + json_string(move.home.str()) +
                         R"(,"consent":)" + json_string(consent.jws.text) + "}";
    protocol::EventDraft draft;
    draft.type = protocol::move_type;
    draft.channel = channel.name;
    draft.sender = move.user;
    draft.device = move.device;
    draft.txn = move.txn;
    draft.at = parts_.clock.now_ms();
    draft.content = content;
    auto event = protocol::make_channel_event(draft, user);
    if (!event) return fail(event);
    auto appended = parts_.home.append(transaction, channel, *event, content);
    if (!appended) return fail(appended);
    return appended->seq;
}

Result<void> Succession::weigh(WriteTransaction& transaction, const VerifiedDirect& direct,
                               const ServerName& origin)
{
    const auto& event = *direct.event;
    if (!event.sender.is_server || event.to != parts_.identity.name.str())
        return refuse(Code::forbidden, "a home asks in its bare name, and a server");
    auto question = read_move_question(direct.content, parts_.identity.names);
    if (!question) return fail(question);
    auto& db = transaction.db();
    auto found = parts_.store.find(db, question->channel);
    if (!found && found.error().code != Code::not_found) return fail(found);
    const auto no = [](std::string_view why) { return refuse(Code::forbidden, std::string(why)); };
    if (!found) return no("the channel is not followed here");
    const auto& channel = **found;
    // Nothing comes in that could bring it further.
    if (channel.frozen || channel.stall) return no("the channel stands still here");
    // An earlier move may still be on its way.
    if (question->epoch > channel.epoch && channel.state.has_member_of(origin))
        return retry_later(Code::unavailable, "the log here ends before that epoch",
                           moving_retry_seconds);
    if (channel.home != origin || question->epoch != channel.epoch)
        return no("the channel is not homed at the server that asks");
    if (!channel.state.has_member_of(parts_.identity.name))
        return no("the channel is not followed here");
    auto holds = holds_for_all(db, channel, parts_.identity.name);
    if (!holds) return fail(holds);
    if (!*holds) return no("a follower may need entries that are not held here");
    return {};
}

Result<void> Succession::moved(WriteTransaction& transaction, LiveChannel& channel,
                               const ServerName& before)
{
    auto& db = transaction.db();
    const auto& self = parts_.identity.name;
    auto handed = hand_over_followings(parts_.store, db, channel, self, before);
    if (!handed) return handed;
    auto home = parts_.store.server_id(db, channel.home);
    if (!home) return fail(home);
    auto any = storage::hand_on_submissions(db, channel.name, *home);
    if (!any) return fail(any);
    if (channel.home == self) return take_over(transaction, channel, before);
    if (*any) transaction.after_commit([wake = parts_.wake, home = channel.home] { wake(home); });
    return {};
}

// What own users handed in at the old home goes into the log here, in the same commit: there is
// no moment at which somebody else's event could pass it for no reason.
Result<void> Succession::take_over(WriteTransaction& transaction, LiveChannel& channel,
                                   const ServerName& before)
{
    parts_.store.note_submission(channel);
    auto waited = parts_.home.append_waiting(transaction, channel, most_appended_at_once);
    if (!waited) return fail(waited);
    const auto settled = std::make_shared<HomeLog::Waited>(std::move(*waited));
    transaction.after_commit(
        [this, settled, before, name = channel.name, followers = channel.followers] {
            protocol::log_info(parts_.log, "channel_log", "a channel has moved here",
                               {{"channel", name.str()}, {"from", before.str()}});
            tell_authors(parts_.notices, name, *settled);
            if (settled->more && parts_.held) parts_.held(name);
            for (const auto& follower : followers) parts_.wake(follower);
        });
    return {};
}

}  // namespace entente::federation
