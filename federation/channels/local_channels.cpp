#include "federation/channels/local_channels.hpp"

#include <algorithm>

#include "federation/channels/channel_changes.hpp"
#include "federation/channels/repeats.hpp"
#include "protocol/json_rules.hpp"
#include "storage/incoming_store.hpp"
#include "storage/log_reader.hpp"
#include "storage/outgoing_store.hpp"

namespace entente::federation {

namespace {

using protocol::json_string;
using protocol::Uuid;
using storage::Connection;
using storage::LiveChannel;
using storage::Standing;
using storage::WriteTransaction;

// Users and homes whose allowance is remembered; beyond it all are counted anew.
constexpr std::size_t max_allowances = 10'000;

std::string creation_members(const NewChannel& channel)
{
    return "{\"kind\":" + json_string(channel.kind) + ",\"name\":" + json_string(channel.name) +
           ",\"public\":" + (channel.is_public ? "true" : "false") +
           ",\"history\":" + json_string(channel.history) +
           ",\"retention\":" + json_string(channel.retention) +
           ",\"encryption\":" + json_string(channel.encryption) + ",\"successors\":[]}";
}

// [EVT-6] The salt goes in front of what the client wrote.
std::string salted(std::string_view members, protocol::Random& random)
{
    std::string content = "{\"salt\":" + json_string(protocol::to_base64url(random.octets(16)));
    const auto first = members.find_first_not_of(" \t\r\n", 1);
    if (first != std::string_view::npos && members[first] != '}') content += ',';
    content += members.substr(1);
    return content;
}

// What a draft holds while it waits for its commit.
std::size_t octets_of(const protocol::Event& event, const std::string& content)
{
    return event.octets.size() + content.size();
}

Posted accepted(const Hash& id, std::int64_t seq)
{
    Posted posted;
    posted.event_id = id;
    posted.state = DeliveryState::accepted;
    posted.seq = seq;
    return posted;
}

Posted standing_of(const storage::SubmissionRow& row)
{
    Posted posted;
    posted.event_id = row.event_id;
    posted.seq = row.seq;
    if (row.seq > 0) posted.state = DeliveryState::accepted;
    if (!row.problem.empty()) {
        posted.state = DeliveryState::rejected;
        const auto code = protocol::code_from_name(row.problem).value_or(Code::forbidden);
        posted.problem = Error{code, "the channel's home refused it", {}, 0};
    }
    return posted;
}

bool is_invited_or_member(const LiveChannel& channel, const UserId& user)
{
    return channel.state.is_member(user.str()) || channel.state.invited.contains(user.str());
}

protocol::Failure unknown_channel()
{
    return refuse(Code::not_found, "no such channel");
}

}  // namespace

LocalChannels::LocalChannels(LocalChannelsParts parts) : parts_(std::move(parts)) {}

Result<LocalChannels::Draft> LocalChannels::draft(const Actor& actor, const ChannelId& channel,
                                                  ChannelChange change) const
{
    const auto& members = change.members;
    if (members.size() > parts_.options.max_content_octets)
        return refuse(Code::too_large, "the content is over 60 KiB");
    if (members.empty() || members.front() != '{')
        return refuse(Code::malformed, "the content must be a JSON object");
    Draft made;
    made.user = actor.user;
    made.person = actor.person;
    // Salted before it is checked: the salt that a client brings would then stand twice.
    made.content = salted(members, parts_.random);
    if (auto checked = protocol::check_json(made.content); !checked) return fail(checked);
    protocol::EventDraft event;
    event.type = std::move(change.type);
    event.channel = channel;
    event.target = change.target;
    event.sender = actor.user.str();
    event.device = actor.device;
    event.txn = actor.txn;
    event.at = parts_.clock.now_ms();
    event.content = made.content;
    auto written = protocol::make_channel_event(event, actor.user);
    if (!written) return fail(written);
    made.event = std::move(*written);
    return made;
}

Result<LocalChannels::Draft> LocalChannels::draft_creation(const Actor& actor,
                                                           const ChannelId& name,
                                                           const NewChannel& channel,
                                                           const Draft* invitation) const
{
    auto made = draft(actor, name, {"channel.create", creation_members(channel), std::nullopt});
    if (!made) return made;
    // What the fold refuses must not leave an empty channel behind.
    protocol::ChannelState blank;
    std::int64_t seq = 0;
    for (const auto* draft : {static_cast<const Draft*>(&*made), invitation}) {
        if (draft == nullptr) break;
        protocol::Permit permit;
        if (parts_.policies != nullptr)
            permit = [&]() -> Result<void> {
                auto ruling = ask_policies(
                    *parts_.policies, {draft->event, draft->content, name, parts_.identity.name,
                                       &blank, nullptr, &draft->person});
                if (!ruling) return fail(ruling);
                return {};
            };
        auto allowed = protocol::apply_event(blank, draft->event, draft->content, ++seq, 1,
                                             std::nullopt, parts_.identity.names, permit);
        if (!allowed) return fail(allowed);
    }
    return made;
}

Result<void> LocalChannels::permit(const Draft& draft, const ServerName& home,
                                   const LiveChannel* channel, bool is_invited) const
{
    if (parts_.policies == nullptr || draft.person.is_deleted) return {};
    EventQuestion question{draft.event, draft.content, *draft.event.channel, home};
    question.state = channel == nullptr ? nullptr : &channel->state;
    question.person = &draft.person;
    question.is_invited = is_invited;
    // The table decides when it is ordered; what is known here by then may be more.
    if (home != parts_.identity.name || (channel != nullptr && channel->held))
        question.unallowed = trust::policy::Unallowed::goes_on;
    auto ruling = ask_policies(*parts_.policies, question);
    if (!ruling) return fail(ruling);
    // Whoever orders the join asks its own moderators.
    return {};
}

Result<LiveChannel*> LocalChannels::begin(WriteTransaction& transaction, const Draft& creation)
{
    auto& db = transaction.db();
    storage::ChannelLogStore::NewLog log;
    log.name = *creation.event.channel;
    log.home = parts_.identity.name;
    auto live = parts_.store.create(db, std::move(log));
    if (!live) return live;
    auto appended = parts_.home.append(transaction, **live, creation.event, creation.content);
    auto remembered = appended
                          ? storage::remember_creation(db, creation.user.str(), creation.event.txn,
                                                       creation.event.channel->str())
                          : Result<void>{fail(appended)};
    if (remembered) return live;
    parts_.store.abandon(**live, remembered.error());
    return fail(remembered);
}

asio::awaitable<Result<ChannelId>> LocalChannels::create(Actor actor, NewChannel channel)
{
    const auto name =
        protocol::make_channel_id(parts_.identity.name, parts_.clock.now_ms(), parts_.random);
    auto made = draft_creation(actor, name, channel);
    if (!made) co_return fail(made);

    storage::Cause cause{made->user.str(), octets_of(made->event, made->content)};
    auto job = [this, name,
                draft = std::move(*made)](WriteTransaction& transaction) -> Result<ChannelId> {
        auto known = find_created(transaction.db(), draft, nullptr);
        if (!known) return fail(known);
        if (*known) return std::move(**known);
        auto begun = begin(transaction, draft);
        if (!begun) return fail(begun);
        return name;
    };
    auto created = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return created;
}

asio::awaitable<Result<Posted>> LocalChannels::invite(Actor actor, ChannelId channel,
                                                      UserId invitee)
{
    return change(std::move(actor), std::move(channel), changes::invite(invitee));
}

asio::awaitable<Result<Posted>> LocalChannels::join(Actor actor, ChannelId channel)
{
    return change(std::move(actor), std::move(channel), changes::join());
}

asio::awaitable<Result<Posted>> LocalChannels::leave(Actor actor, ChannelId channel)
{
    return change(std::move(actor), std::move(channel), changes::leave());
}

asio::awaitable<Result<Posted>> LocalChannels::post(Actor actor, ChannelId channel,
                                                    std::string content)
{
    return change(std::move(actor), std::move(channel), changes::post(std::move(content)));
}

asio::awaitable<Result<Posted>> LocalChannels::change(Actor actor, ChannelId channel,
                                                      ChannelChange change)
{
    auto made = draft(actor, channel, std::move(change));
    if (!made) co_return fail(made);
    storage::Cause cause{made->user.str(), octets_of(made->event, made->content)};
    auto job = [this,
                draft = std::move(*made)](WriteTransaction& transaction) -> Result<Result<Posted>> {
        auto posted = apply(transaction, draft);
        // Of a join that is refused what moderators are asked stays.
        if (!posted && draft.event.type != "member.join") return fail(posted);
        return posted;
    };
    auto posted = co_await parts_.commits.write(std::move(job), std::move(cause));
    if (!posted) co_return fail(posted);
    co_return std::move(*posted);
}

asio::awaitable<std::vector<Result<Posted>>> LocalChannels::post_all(std::vector<Post> posts)
{
    auto drafts = std::make_shared<std::vector<Result<Draft>>>();
    storage::Cause cause;
    if (!posts.empty()) cause.who = posts.front().actor.user.str();
    for (auto& post : posts) {
        auto made = draft(post.actor, post.channel, changes::post(std::move(post.content)));
        if (made) cause.octets += octets_of(made->event, made->content);
        drafts->push_back(std::move(made));
    }
    using Results = std::vector<Result<Posted>>;
    auto job = [this, drafts](WriteTransaction& transaction) -> Result<Results> {
        Results results;
        for (const auto& made : *drafts)
            results.push_back(made ? apply(transaction, *made)
                                   : Result<Posted>{tl::unexpect, made.error()});
        return results;
    };
    auto results = co_await parts_.commits.write(std::move(job), std::move(cause));
    if (results) co_return std::move(*results);
    Results refused(posts.size(), Result<Posted>{tl::unexpect, results.error()});
    co_return refused;
}

Result<Posted> LocalChannels::apply(WriteTransaction& transaction, const Draft& draft)
{
    auto repeat = find_repeat(transaction, draft);
    if (!repeat) return fail(repeat);
    if (*repeat) return std::move(**repeat);

    auto& db = transaction.db();
    auto found = parts_.store.find(db, *draft.event.channel);
    if (!found && found.error().code != Code::not_found) return fail(found);
    const bool is_join = draft.event.type == "member.join";
    if (!found) {
        if (!is_join) return unknown_channel();
        auto home = home_for(draft);
        if (!home) return fail(home);
        if (auto allowed = permit(draft, *home, nullptr, false); !allowed) return fail(allowed);
        return submit(transaction, draft, *home);
    }
    auto& channel = **found;
    const bool may_know =
        is_invited_or_member(channel, draft.user) || (is_join && channel.state.is_public);
    // A server whose last member has left holds an old state: an invitation tells more.
    auto invitation = may_know || !is_join
                          ? Result<std::optional<storage::InvitationRow>>{std::nullopt}
                          : storage::find_invitation(db, draft.user.str(), channel.name.str());
    if (!invitation) return fail(invitation);
    if (!may_know && !*invitation) return unknown_channel();
    if (channel.home != parts_.identity.name) {
        if (!is_join && !channel.state.is_member(draft.user.str()))
            return refuse(Code::not_member, "not a member of the channel");
        auto allowed = permit(draft, channel.home, &channel, invitation->has_value());
        if (!allowed) return fail(allowed);
        return submit(transaction, draft, channel.home);
    }
    // [LOG-5] Kept beside the log until it may go on; whether it is allowed is told then.
    if (channel.held) {
        // About a join policies are asked then too, who may hold it for a moderator.
        auto allowed = is_join ? Result<void>{} : permit(draft, channel.home, &channel, false);
        if (!allowed) return fail(allowed);
        auto submitted = submit(transaction, draft, channel.home);
        if (submitted) parts_.store.note_submission(channel);
        return submitted;
    }
    const Sending sending{&draft.person};
    auto appended = parts_.home.append(transaction, channel, draft.event, draft.content,
                                       draft.person.is_deleted ? nullptr : &sending);
    if (!appended) return fail(appended);
    return accepted(draft.event.id, appended->seq);
}

// The same wish under the same txn gets the first one's standing.
Result<std::optional<Posted>> LocalChannels::find_repeat(WriteTransaction& transaction,
                                                         const Draft& draft)
{
    auto& db = transaction.db();
    auto channel = parts_.store.find(db, *draft.event.channel);
    if (!channel && channel.error().code != Code::not_found) return fail(channel);
    // What is homed here was never submitted, but while the channel was held.
    const bool is_home = channel && (*channel)->home == parts_.identity.name;
    auto row = is_home && !(*channel)->has_submissions
                   ? Result<std::optional<storage::SubmissionRow>>{std::nullopt}
                   : storage::find_submission(db, *draft.event.channel, draft.event.txn);
    if (!row) return fail(row);
    if (*row) {
        if (auto same = check_same((*row)->event, (*row)->content, draft); !same) return fail(same);
        return std::optional<Posted>{standing_of(**row)};
    }
    if (!channel) return std::optional<Posted>{};
    auto seq = parts_.store.find_txn(db, **channel, parts_.identity.name, draft.event.txn);
    if (!seq) return fail(seq);
    if (!*seq) return std::optional<Posted>{};
    auto stored = parts_.store.entry_at(db, **channel, **seq);
    if (!stored) return fail(stored);
    const auto& entry = stored->entry;
    if (auto same = check_same(entry.event, entry.content, draft); !same) return fail(same);
    return std::optional<Posted>{accepted(stored->event_id, **seq)};
}

Result<void> LocalChannels::check_same(std::string_view first,
                                       const std::optional<std::string>& first_content,
                                       const Draft& draft) const
{
    auto event = protocol::parse_followed_event(first, parts_.identity.names);
    if (!event || event->event.sender.text != draft.user.str())
        return refuse(Code::conflict, "another user's event has this txn");
    if (is_same_wish(event->event, first_content, draft.event, draft.content)) return {};
    return refuse(Code::conflict, "/txn: came before with something else");
}

Result<std::optional<ChannelId>> LocalChannels::find_created(Connection& db, const Draft& creation,
                                                             const Draft* invitation)
{
    auto known = storage::find_creation(db, creation.user.str(), creation.event.txn);
    if (!known) return fail(known);
    if (!*known) return std::optional<ChannelId>{};
    auto name = ChannelId::trusted(**known);
    auto channel = parts_.store.find(db, name);
    if (!channel) return fail(channel);
    // A channel begins with its creation, a dm with the other's invitation behind it.
    std::int64_t seq = 0;
    for (const auto* draft : {&creation, invitation}) {
        if (draft == nullptr) break;
        auto stored = parts_.store.entry_at(db, **channel, ++seq);
        if (!stored && stored.error().code != Code::not_found) return fail(stored);
        auto same = stored ? check_same(stored->entry.event, stored->entry.content, *draft)
                           : Result<void>{};
        if (!same) return fail(same);
    }
    return std::optional<ChannelId>{std::move(name)};
}

// Whom to ask first about a channel that isn't held here: its id says who made it. Where it has
// moved since, that server points to the new home: an invitation alone would be that one's own
// word for it [SUC-8].
Result<ServerName> LocalChannels::home_for(const Draft& draft) const
{
    const auto creator = protocol::creator_of(*draft.event.channel);
    if (creator == parts_.identity.name) return unknown_channel();
    return creator;
}

asio::awaitable<Result<Moving>> LocalChannels::move(Actor actor, ChannelId channel, ServerName home)
{
    if (parts_.succession == nullptr) co_return refuse(Code::unsupported, "channels can't move");
    storage::Cause cause{actor.user.str(), 0};
    auto job = [this, actor, channel, home](WriteTransaction& transaction) -> Result<Moving> {
        if (auto allowed = permit_move(transaction.db(), actor, channel); !allowed)
            return fail(allowed);
        return parts_.succession->wish(transaction, actor, channel, home);
    };
    auto moving = co_await parts_.commits.write(std::move(job), std::move(cause));
    co_return moving;
}

// Who isn't in it is told by Succession that there is none.
Result<void> LocalChannels::permit_move(Connection& db, const Actor& actor,
                                        const ChannelId& channel)
{
    auto found = parts_.store.find(db, channel);
    if (!found || !(*found)->state.is_member(actor.user.str())) return {};
    Draft wish;
    wish.event.type = "channel.move";
    wish.event.channel = channel;
    wish.event.sender = {actor.user.str(), parts_.identity.name, false};
    wish.person = actor.person;
    const auto& home = (*found)->home;
    // By whom a channel that is homed elsewhere is moved is refused there anyhow.
    return home == parts_.identity.name ? permit(wish, home, *found, false) : Result<void>{};
}

// [RETRY-3] Counting costs as much as there is to count, so it is done when what was left at
// the last count is used up: what was settled since only makes the truth kinder.
Result<void> LocalChannels::take_allowance(Connection& db, const UserId& user, std::int64_t home)
{
    if (allowances_.size() >= max_allowances) allowances_.clear();
    auto& left = allowances_[{user.str(), home}];
    if (left == 0) {
        auto unsent = storage::count_unsent(db, user.str(), home);
        if (!unsent) return fail(unsent);
        left = std::max<std::int64_t>(parts_.options.max_unsent - *unsent, 0);
    }
    if (left == 0)
        return retry_later(Code::rate_limited, "too many unsent submissions for one server", 60);
    --left;
    return {};
}

Result<Posted> LocalChannels::submit(WriteTransaction& transaction, const Draft& draft,
                                     const ServerName& home)
{
    auto& db = transaction.db();
    auto home_id = parts_.store.server_id(db, home);
    if (!home_id) return fail(home_id);
    if (auto within = take_allowance(db, draft.user, *home_id); !within) return fail(within);
    storage::SubmissionRow row;
    row.channel = *draft.event.channel;
    row.home = home;
    row.user = draft.user.str();
    row.txn = draft.event.txn;
    row.event_id = draft.event.id;
    row.type = draft.event.type;
    row.event = draft.event.octets;
    row.content = draft.content;
    row.at = draft.event.at;
    auto put = storage::put_submission(db, row, *home_id);
    if (!put) return fail(put);
    transaction.after_commit([wake = parts_.wake, home] { wake(home); });
    return standing_of(row);
}

}  // namespace entente::federation
