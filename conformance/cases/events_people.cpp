// Who may write, read and know of a channel [MEM-1, MEM-4, MEM-8, QRY-1].
#include "conformance/cases/events.hpp"
#include "conformance/judge/follower.hpp"

#include <algorithm>
#include <utility>

#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

std::string channel_path(const std::string& channel)
{
    return "/federation/v1/channels/" + channel;
}

std::string channel_not_there(Trial& trial)
{
    return time_uuid(trial.now()) + "@" + trial.target();
}

const std::vector<Refusal> channel_not_found = {{404, "not-found"}};

// A private channel answers a stranger as one that isn't there.
void read_without_member(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto hidden = trial.accounts().create_channel(Who::first, {.is_public = false});
    trial.accounts().post(Who::first, hidden, trial.new_text());
    for (const auto& channel : {hidden, channel_not_there(trial)}) {
        for (const std::string query : {"", "?seq=1", "/log", "/log?after=0&limit=100"})
            trial.expect_refused(
                trial.query(origin, channel_path(channel) + query, {}, "query " + query),
                channel_not_found);
        const auto result =
            hand_in(trial, origin, channel,
                    trial.message_of(trial.user(), channel, trial.new_text()), "a message");
        expect_result(trial, result, "a message to a channel that it may not know of", "rejected",
                      {"not-found"});
    }
    trial.expect_ok(trial.query(origin, channel_path(trial.channel()) + "/log", {},
                                "the log of a channel with a member"));
    trial.expect_still_serves();
}

// Of a public channel everybody may know the state, and only its members' servers the log.
void log_of_public_channel(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto open = trial.accounts().create_channel(Who::first, {});
    trial.expect_refused(trial.query(origin, channel_path(open) + "/log", {}, "its log"),
                         channel_not_found);
    trial.expect_ok(trial.query(origin, channel_path(open), {}, "its snapshot"));
    trial.expect_still_serves();
}

void join_uninvited(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto hidden = trial.accounts().create_channel(Who::first, {.is_public = false});
    const auto join = [&](const std::string& user, const std::string& what) {
        return hand_in(trial, origin, hidden,
                       event_of(trial, "member.join", user, hidden, nlohmann::json::object()),
                       what);
    };
    expect_result(trial, join(trial.user(), "uninvited"), "a join without an invitation",
                  "rejected", {"not-found"});
    trial.accounts().invite(Who::first, hidden, trial.user());
    const auto eve = origin.user("eve");
    expect_result(trial, join(eve, "another user's"), "a join by another user than the invited one",
                  "rejected", {"forbidden"});
    expect_taken(trial, join(trial.user(), "invited"), "the invited user's join");
    expect_result(trial, join(eve, "beside a member"), "an uninvited join beside a member",
                  "rejected", {"forbidden"});
    const auto text = trial.new_text();
    expect_result(
        trial, hand_in(trial, origin, hidden, trial.message_of(eve, hidden, text), "her message"),
        "the message of who couldn't join", "rejected", {"not-member"});
    trial.expect(times_read(trial, hidden, text) == 0, "no-effect", "it can be read all the same");
    trial.expect_still_serves();
}

// As if a server made a join out of a template for one of its own users, and got another's back.
void join_of_another(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    auto& third = trial.another();
    const auto bob = trial.accounts().user(Who::second);
    for (const auto& sender : {third.user(), bob}) {
        const auto join =
            event_of(trial, "member.join", sender, trial.channel(), nlohmann::json::object());
        expect_result(trial, hand_in(trial, origin, trial.channel(), join, "a join of " + sender),
                      "a join of " + sender, "rejected", {"forbidden"});
    }
    // Neither is a member now.
    const auto text = trial.new_text();
    const auto message = trial.message_of(third.user(), trial.channel(), text);
    expect_result(trial,
                  hand_in(trial, third, trial.channel(), message, "a message of " + third.user()),
                  "a message of who was to be joined", "rejected", {"not-member"});
    trial.expect_absent(text);
    trial.expect(trial.accounts().messages(Who::second, trial.channel()).empty(), "no-effect",
                 "the target's second account was joined, and can read");
    trial.expect_still_serves();
}

void not_a_member(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    const auto eve = origin.user("eve");
    expect_result(trial,
                  hand_in(trial, origin, trial.channel(),
                          trial.message_of(eve, trial.channel(), text), "no member's message"),
                  "a message of who is no member", "rejected", {"not-member"});
    trial.expect_absent(text);
    trial.expect_still_serves();
}

void banned_user(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto other = origin.user("oscar");
    const auto& channel = trial.channel();
    trial.join(origin, other, channel);
    trial.accounts().ban(Who::first, channel, other);
    const auto text = trial.new_text();
    expect_result(
        trial, hand_in(trial, origin, channel, trial.message_of(other, channel, text), "message"),
        "the message of a banned user", "rejected", {"not-member", "forbidden"});
    const auto join = event_of(trial, "member.join", other, channel, nlohmann::json::object());
    expect_result(trial, hand_in(trial, origin, channel, join, "join"), "his join", "rejected",
                  {"forbidden"});
    const auto later = trial.new_text();
    expect_result(
        trial,
        hand_in(trial, origin, channel, trial.message_of(other, channel, later), "another message"),
        "his message behind the join", "rejected", {"not-member", "forbidden"});
    trial.expect_absent(text);
    trial.expect_absent(later);
    trial.expect_still_serves();
}

// Nobody but its author changes a message, and nobody but its author and a moderator deletes it.
void message_of_another(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto& channel = trial.channel();
    const auto original = trial.new_text();
    const auto forged = trial.new_text();
    const auto target = trial.accounts().post(Who::first, channel, original);
    const auto edit =
        event_of(trial, "message.edit", trial.user(), channel, {{"text", forged}}, target);
    expect_result(trial, hand_in(trial, origin, channel, edit, "edit"),
                  "an edit of another's message", "rejected", {"forbidden"});
    const auto deletion =
        event_of(trial, "message.delete", trial.user(), channel, nlohmann::json::object(), target);
    expect_result(trial, hand_in(trial, origin, channel, deletion, "deletion"),
                  "a deletion of another's message", "rejected", {"forbidden"});
    trial.expect_absent(forged);
    trial.expect_once(original);
    trial.expect_still_serves();
}

// What a plain member might like to do.
void above_ones_role(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto& channel = trial.channel();
    const auto alice = trial.accounts().user(Who::first);
    const auto bob = trial.accounts().user(Who::second);
    const std::vector<std::pair<std::string, nlohmann::json>> wishes = {
        {"member.role", {{"user", trial.user()}, {"role", "owner"}}},
        {"member.role", {{"user", alice}, {"role", "member"}}},
        {"member.kick", {{"user", alice}}},
        {"member.ban", {{"user", bob}}},
        {"channel.update", {{"name", "Mine"}, {"public", false}}},
        {"channel.successors", {{"servers", {origin.name()}}}},
        {"channel.create", {{"kind", "group"}, {"name", "Mine"}}},
    };
    for (const auto& [type, content] : wishes) {
        const auto event = event_of(trial, type, trial.user(), channel, content);
        expect_result(trial, hand_in(trial, origin, channel, event, type),
                      type + " by a plain member", "rejected", {"forbidden"});
    }
    // All is as it was: the account writes and reads, the second one may join.
    const auto text = trial.new_text();
    static_cast<void>(trial.accounts().post(Who::first, channel, text));
    trial.expect(times_read(trial, channel, text) == 1, "no-effect", "the owner can't write on");
    trial.accounts().join(Who::second, channel);
    trial.expect(!trial.accounts().messages(Who::second, channel).empty(), "no-effect",
                 "the second account can't read what it has joined");
    trial.expect_still_serves();
}

// A deleted message is gone for edits, reactions and deletions too.
void edit_of_deleted(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto& channel = trial.channel();
    const auto text = trial.new_text();
    const auto message = trial.message_of(trial.user(), channel, text);
    expect_taken(trial, hand_in(trial, origin, channel, message, "message"), "the message");
    trial.accounts().remove(Who::first, channel, message.id());
    const auto edited = trial.new_text();
    const std::vector<std::pair<std::string, nlohmann::json>> late = {
        {"message.edit", {{"text", edited}}},
        {"message.react", {{"key", "+"}}},
        {"message.delete", nlohmann::json::object()},
    };
    for (const auto& [type, content] : late) {
        const auto event = event_of(trial, type, trial.user(), channel, content, message.id());
        expect_result(trial, hand_in(trial, origin, channel, event, type),
                      type + " of a deleted message", "rejected", {"not-found"});
        const auto nothing =
            event_of(trial, type, trial.user(), channel, content, event_id("never sent"));
        expect_result(trial, hand_in(trial, origin, channel, nothing, type),
                      type + " of a message that isn't there", "rejected", {"not-found"});
    }
    trial.expect_absent(edited);
    // The same again is a duplicate: what was deleted doesn't come back.
    expect_taken(trial, hand_in(trial, origin, channel, message, "the message again"),
                 "the deleted message, handed in again", "duplicate");
    trial.expect_absent(text);
    trial.expect_still_serves();
}

// A channel that the target follows, and one that it never heard of: neither is ordered here.
void channel_of_another_home(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    Follower follower(trial);
    const auto text = trial.new_text();
    const auto unheard = time_uuid(trial.now()) + "@" + trial.another().name();
    for (const auto& channel : {follower.id(), unheard}) {
        const auto message = trial.message_of(origin.user("owner"), channel, text);
        expect_result(trial, hand_in(trial, origin, channel, message, "to another home's channel"),
                      "a message to a channel of another home", "rejected",
                      {"not-home", "not-found"});
    }
    // What the home itself says is read.
    follower.expect_goes_on();
    follower.expect_unread(text);
    trial.expect_still_serves();
}

}  // namespace

std::vector<Case> event_people_cases()
{
    return {
        {.id = "evt-93",
         .clause = "QRY-1",
         .proves = "To a server without a member a private channel is as one that isn't there",
         .run = read_without_member,
         .mutants = {{"channels-known-to-all", "refused"}}},
        {.id = "evt-94",
         .clause = "QRY-1",
         .proves = "A server without a member may read a public channel's snapshot, not its log",
         .run = log_of_public_channel,
         .mutants = {{"log-open-to-all", "refused"}}},
        {.id = "evt-95",
         .clause = "QRY-1",
         .proves = "A private channel is not-found to a join, and forbidden to all but the invited",
         .run = join_uninvited,
         .mutants = {{"channels-known-to-all", "refused"}, {"join-uninvited", "refused"}}},
        {.id = "evt-96",
         .clause = "INBOX-11",
         .proves = "A server can't join another server's user, or the home's own",
         .run = join_of_another,
         .mutants = {{"any-sender-server", "refused"}}},
        {.id = "evt-97",
         .clause = "MEM-1",
         .proves = "A message of who is no member is refused as not-member",
         .run = not_a_member,
         .mutants = {{"membership-ignored", "refused"}}},
        {.id = "evt-98",
         .clause = "MEM-1",
         .proves = "A banned user can neither write nor join",
         .run = banned_user,
         .mutants = {{"ban-ignored", "refused"}}},
        {.id = "evt-99",
         .clause = "MEM-1",
         .proves = "A member can neither edit nor delete somebody else's message",
         .run = message_of_another,
         .mutants = {{"author-ignored", "refused"}}},
        {.id = "evt-100",
         .clause = "MEM-1",
         .proves = "A plain member can't raise itself, kick, ban, or change the channel",
         .run = above_ones_role,
         .mutants = {{"roles-ignored", "refused"}}},
        {.id = "evt-101",
         .clause = "MEM-14",
         .proves = "What refers to a message that was deleted, or never was, is not-found",
         .run = edit_of_deleted,
         .mutants = {{"target-ignored", "refused"}}},
        {.id = "evt-102",
         .clause = "INBOX-3",
         .proves = "A message to a channel of another home is refused, and not ordered here",
         .run = channel_of_another_home,
         .mutants = {{"any-home", "refused"}}},
    };
}

}  // namespace entente::conformance
