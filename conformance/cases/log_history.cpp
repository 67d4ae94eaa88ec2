// Forks, a home that was put back, servers of authors that are gone, and a home that nobody has
// named [LOG-4, LOG-5, LOG-6, SUC-6].
#include <algorithm>

#include "conformance/cases/log_parts.hpp"
#include "conformance/judge/follower.hpp"

namespace entente::conformance {

namespace {

// The channel is frozen [LOG-21]: nothing of its home is taken any more, and all else goes on.
void expect_frozen(Trial& trial, Follower& follower)
{
    const auto text = follower.say();
    auto& home = follower.home();
    const auto result = follower.send(home, follower.have(), home.latest());
    trial.expect(result.is_object() && result.value("status", "") == "fork" &&
                     result.value("have", std::uint64_t{0}) == follower.have(),
                 "frozen",
                 "behind a fork the next slice's result is " + result.dump() +
                     ", and should be fork, with have " + std::to_string(follower.have()) +
                     " [LOG-21]");
    follower.expect_unread(text);
    trial.expect_still_serves();
}

// Each joins a channel of the target's before: a fork may count against who has signed it.
void freezes_at_another_entry(Trial& trial)
{
    trial.control();
    Follower follower(trial);
    auto other = follower.copy();
    const auto have = follower.have();
    const auto text = follower.say();
    follower.catch_up();
    const auto forked = trial.new_text();
    other.say(forked, trial.now());
    follower.expect_status(follower.send(other, have, have + 1), "fork", "fork");
    follower.expect_unread(forked);
    follower.expect_read(text);
    expect_frozen(trial, follower);
}

void freezes_at_another_chain(Trial& trial)
{
    trial.control();
    Follower follower(trial);
    auto other = follower.copy();
    const auto text = follower.say();
    follower.catch_up();
    const auto have = follower.have();
    const auto forked = trial.new_text();
    other.say(trial.new_text(), trial.now());
    other.say(forked, trial.now());
    follower.expect_status(follower.send(other, have, have + 1), "fork", "fork");
    follower.expect_unread(forked);
    follower.expect_read(text);
    expect_frozen(trial, follower);
}

void says_ahead(Trial& trial)
{
    Follower follower(trial);
    static_cast<void>(follower.say());
    static_cast<void>(follower.say());
    follower.catch_up();
    auto& home = follower.home();
    const auto have = follower.have();
    const auto result = follower.send(home, have - 2, have - 1,
                                      [&](auto& slice) { slice.body["latest"] = have - 1; });
    follower.expect_status(result, "ahead", "ahead");
    const auto agrees = result.value("agrees", nlohmann::json::object());
    trial.expect(result.value("have", std::uint64_t{0}) == have &&
                     agrees.value("seq", std::uint64_t{0}) == have - 1 &&
                     agrees.value("hash", "") == home.hash_at(have - 1),
                 "ahead", "the result doesn't say where both agree: " + result.dump());
    follower.expect_goes_on();
}

// [LOG-2] `have` is what is held durably.
void holds_what_it_has_said(Trial& trial)
{
    Follower follower(trial);
    const auto text = follower.say();
    follower.catch_up();
    trial.hook("kill9");
    trial.wait_until_served(Millis(30'000));
    const auto result = follower.send(follower.home(), follower.have(), follower.have());
    trial.expect(result.value("have", std::uint64_t{0}) == follower.have(), "durable",
                 "behind a kill -9 it holds less than it has said: " + result.dump());
    follower.expect_read(text);
    follower.expect_goes_on();
}

// --- keys

nlohmann::json shown(const Origin& server, const SigningKey& key)
{
    return {{"server", server.name()}, {"key", key.jwk()}, {"statements", nlohmann::json::array()}};
}

// A member's server that is gone for good, and has sealed its last under a key that it has told
// nobody of.
struct Gone {
    Origin& server;
    SigningKey key;
};

Gone add_gone(Trial& trial, Follower& follower)
{
    auto& server = trial.another();
    follower.add_member(server);
    trial.world().end_origin(server);
    return {server, SigningKey::random()};
}

Follower::ChangeBody showing(const Gone& gone)
{
    return [gone = shown(gone.server, gone.key)](nlohmann::json& body) {
        body["logs"][0]["keys"] = nlohmann::json::array({gone});
    };
}

void asks_for_keys(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    const auto gone = add_gone(trial, follower);
    const auto text = trial.new_text();
    follower.append_sealed(home, gone.server, home.message(gone.server.user(), text, trial.now()),
                           &gone.key);
    const auto have = follower.have();
    const auto result = follower.send(home, have, home.latest());
    follower.expect_status(result, "need-keys", "need-keys");
    const auto kids = result.value("kids", nlohmann::json::array());
    const auto wanted = gone.server.name() + "#" + gone.key.id();
    trial.expect(kids == nlohmann::json::array({wanted}), "need-keys",
                 "the result doesn't name the key " + wanted + ": " + result.dump());
    follower.expect_unread(text);
    // With the key it is taken as vouched for.
    follower.expect_taken(follower.send(home, have, home.latest(), {}, showing(gone)), home,
                          home.latest());
    follower.expect_read(text);
}

void refuses_too_many_keys(Trial& trial)
{
    constexpr int one_too_many = 65;
    Follower follower(trial);
    auto& home = follower.home();
    const auto text = follower.say();
    auto keys = nlohmann::json::array();
    for (int n = 0; n < one_too_many; ++n)
        keys.push_back(shown(trial.origin(), SigningKey::random()));
    const auto result =
        follower.send(home, follower.have(), home.latest(), {},
                      [&](nlohmann::json& body) { body["logs"][0]["keys"] = keys; });
    follower.expect_refused(result, {"too-large"});
    follower.expect_unread(text);
    follower.catch_up();
    follower.expect_read(text);
}

void takes_what_is_vouched_for(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    const auto gone = add_gone(trial, follower);
    const auto text = trial.new_text();
    follower.append_sealed(home, gone.server, home.message(gone.server.user(), text, trial.now()),
                           &gone.key);
    follower.expect_taken(follower.send(home, follower.have(), home.latest(), {}, showing(gone)),
                          home, home.latest());
    follower.expect_read(text);
}

// [KEY-7] The fold is the same at every follower, whether it knows the key or not: a moderator
// whose server is gone throws the target's account out.
void folds_what_is_vouched_for(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    const auto gone = add_gone(trial, follower);
    home.append(
        make_event({{"type", "member.role"}, {"channel", home.id()}, {"sender", home.owner()}},
                   salted({{"user", gone.server.user()}, {"role", "moderator"}}), trial.now()),
        trial.now());
    follower.append_sealed(
        home, gone.server,
        make_event(
            {{"type", "member.kick"}, {"channel", home.id()}, {"sender", gone.server.user()}},
            salted({{"user", trial.accounts().user(Who::first)}}), trial.now()),
        &gone.key);
    const auto seq = home.latest();
    follower.expect_taken(follower.send(home, follower.have(), seq, {}, showing(gone)), home, seq);
    const auto text = follower.say();
    follower.expect_status(follower.send(home, seq, home.latest()), "not-following", "folded");
    follower.expect_unread(text);
}

// --- a new home without a move

// A slice of the next epoch, signed and sent by `server`; its text.
std::string append_epoch(Trial& trial, Follower& follower, Origin& server, nlohmann::json& result)
{
    auto log = follower.copy();
    const auto text = trial.new_text();
    log.say(text, trial.now());
    auto slice = log.slice(follower.have(), log.latest());
    slice.body["epoch"] = 2;
    sign_as_changed(slice);
    result = follower.send_by(server, server.key(), log, slice, [&](nlohmann::json& body) {
        body["roots"][0] = signed_root(server.name(), server.key(), {slice.leaf}, trial.now());
    });
    return text;
}

void refuses_a_new_home(Trial& trial)
{
    Follower follower(trial);
    nlohmann::json result;
    const auto text = append_epoch(trial, follower, trial.another(), result);
    follower.expect_refused(result, {"not-home"});
    follower.expect_unread(text);
    follower.expect_goes_on();
}

void tells_a_member_that_it_knows_no_move(Trial& trial)
{
    Follower follower(trial);
    auto& other = trial.another();
    follower.add_member(other);
    nlohmann::json result;
    const auto text = append_epoch(trial, follower, other, result);
    follower.expect_status(result, "gap", "gap");
    trial.expect(result.value("epoch", std::uint64_t{0}) == 1, "gap",
                 "the result isn't of the epoch that is held: " + result.dump());
    follower.expect_unread(text);
    follower.expect_goes_on();
}

// What the target orders itself: a member's server writes a log of its own behind the target's.
void refuses_a_log_of_its_own(Trial& trial)
{
    trial.control();
    auto& origin = trial.origin();
    const auto asked =
        trial.query(origin, "/federation/v1/channels/" + trial.channel() + "/log?limit=1000");
    trial.expect_ok(asked);
    const auto theirs = asked.json.value("slice", nlohmann::json::object());
    const auto after = theirs.value("checkpoint", nlohmann::json::object());
    const auto text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), text);
    HomeChannel::Slice slice;
    const auto seq = after.value("seq", std::uint64_t{0});
    slice.body = {{"channel", trial.channel()},
                  {"epoch", 1},
                  {"after", {{"seq", seq}, {"hash", after.value("hash", "")}}},
                  {"entries", nlohmann::json::array({event.item()})},
                  {"latest", seq + 1}};
    slice.body["entries"][0]["at"] = trial.now();
    sign_as_changed(slice);
    // One tree of the checkpoint and of the seal, which is right.
    const std::vector<std::string> ids = {event.id()};
    const std::vector<std::string> leaves = {slice.leaf, seal_leaf(trial.channel(), ids)};
    slice.body["checkpoint"]["proof"] = proof_of(leaves, 0);
    slice.body["seals"] =
        nlohmann::json::array({nlohmann::json{{"events", ids}, {"proof", proof_of(leaves, 1)}}});
    auto body = nlohmann::json{
        {"roots",
         nlohmann::json::array({signed_root(origin.name(), origin.key(), leaves, trial.now())})},
        {"logs", nlohmann::json::array({slice.body})}};
    const auto response = trial.transact(origin, std::move(body), {}, "the defect");
    trial.expect_ok(response);
    const nlohmann::json::json_pointer place("/logs/0/status");
    trial.expect(response.json.contains(place) && response.json[place] == "refused", "refused",
                 "a slice of a channel that the target orders is answered " + response.json.dump());
    trial.expect_absent(text);
    trial.expect_still_serves();
}

}  // namespace

std::vector<Case> log_history_cases()
{
    return {
        {.id = "log-34",
         .clause = "LOG-4",
         .proves = "A slice with another entry where the target holds one is answered fork, and so "
                   "is all that follows",
         .run = freezes_at_another_entry,
         .mutants = {{"no-fork-check", "fork"}, {"fork-not-frozen", "frozen"}}},
        {.id = "log-35",
         .clause = "LOG-4",
         .proves = "A slice whose entries don't pass through the one that the target holds is "
                   "answered fork, and so is all that follows",
         .run = freezes_at_another_chain,
         .mutants = {{"no-fork-check", "fork"}, {"fork-not-frozen", "frozen"}}},
        {.id = "log-36",
         .clause = "LOG-5",
         .proves = "A slice whose latest is below what the target holds is answered ahead, with "
                   "the entry in which both agree",
         .run = says_ahead,
         .mutants = {{"never-ahead", "ahead"}},
         .negative = false},
        {.id = "log-37",
         .clause = "LOG-2",
         .profile = Profile::durable,
         .proves = "What the result of a slice said to be held is held behind a kill -9",
         .run = holds_what_it_has_said,
         .mutants = {{"log-forgotten-at-restart", "durable"}},
         .hooks = {"kill9"},
         .alone = true,
         .negative = false},
        {.id = "log-38",
         .clause = "LOG-2",
         .proves = "A slice with a seal under a key that can't be fetched is answered need-keys, "
                   "and taken once it shows that key",
         .run = asks_for_keys,
         .mutants = {{"need-keys-without-kids", "need-keys"}}},
        {.id = "log-39",
         .clause = "LOG-6",
         .proves = "A slice with an entry of a server that is gone is taken where the slice shows "
                   "that server's key, in keys",
         .run = takes_what_is_vouched_for,
         .mutants = {{"never-vouched", "taken"}},
         .negative = false},
        {.id = "log-40",
         .clause = "LOG-6",
         .proves = "An entry under a key that only the slice shows counts like any other: a "
                   "moderator's kick is one",
         .run = folds_what_is_vouched_for,
         .mutants = {{"vouched-without-effect", "folded"}},
         .negative = false},
        {.id = "log-41",
         .clause = "LOG-6",
         .proves = "A slice that shows 65 keys is refused as too-large",
         .run = refuses_too_many_keys,
         .mutants = {{"shown-keys-unbounded", "refused"}}},
        {.id = "log-42",
         .clause = "LOG-3",
         .proves = "A slice of the next epoch, from a server that no channel.move has named as its "
                   "home, is refused as not-home",
         .run = refuses_a_new_home,
         .mutants = {{"slice-from-anyone", "refused"}}},
        {.id = "log-43",
         .clause = "SUC-6",
         .proves = "A slice of the next epoch, from a member's server that no move has named, is "
                   "answered gap with epoch 1, and not taken",
         .run = tells_a_member_that_it_knows_no_move,
         .mutants = {{"slice-from-anyone", "gap"}}},
        {.id = "log-44",
         .clause = "LOG-3",
         .proves = "A slice of a channel that the target itself orders is refused",
         .run = refuses_a_log_of_its_own,
         .mutants = {{"checkpoint-any-server", "refused"}}},
    };
}

}  // namespace entente::conformance
