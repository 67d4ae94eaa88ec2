// What a follower wants to see proven before it takes anything of a slice [LOG-1, LOG-3, LOG-11,
// LOG-13].
#include "conformance/cases/log_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

using Codes = std::vector<std::string>;

const Codes is_malformed = {"malformed"};
const Codes is_unproven = {"signature-invalid"};

// The slice of one new message is refused; without the defect it is taken afterwards.
void refuses_until_right(Trial& trial, const Follower::Change& change,
                         const Follower::ChangeBody& change_body, const Codes& codes)
{
    Follower follower(trial);
    const auto text = follower.say();
    auto& home = follower.home();
    const auto result = follower.send(home, follower.have(), home.latest(), change, change_body);
    follower.expect_refused(result, codes);
    follower.expect_unread(text);
    follower.catch_up();
    follower.expect_read(text);
    follower.expect_goes_on();
}

std::function<void(Trial&)> refuses_with(const Follower::Change& change, const Codes& codes)
{
    return [=](Trial& trial) { refuses_until_right(trial, change, {}, codes); };
}

void refuses_another_entry(Trial& trial)
{
    Follower follower(trial);
    const auto text = follower.say();
    const auto forged = trial.new_text();
    auto& home = follower.home();
    const auto event = home.message(home.owner(), forged, trial.now());
    const auto result = follower.send(home, follower.have(), home.latest(), [&](auto& slice) {
        slice.body["entries"][0]["event"] = event.octets;
        slice.body["entries"][0]["content"] = event.content;
    });
    follower.expect_refused(result, is_malformed);
    follower.expect_unread(forged);
    follower.catch_up();
    follower.expect_read(text);
    follower.expect_goes_on();
}

void refuses_another_content(Trial& trial)
{
    Follower follower(trial);
    const auto text = follower.say();
    const auto forged = trial.new_text();
    auto& home = follower.home();
    const auto result = follower.send(home, follower.have(), home.latest(), [&](auto& slice) {
        slice.body["entries"][0]["content"] = salted({{"text", forged}});
    });
    follower.expect_refused(result, is_malformed);
    follower.expect_unread(forged);
    follower.catch_up();
    follower.expect_read(text);
    follower.expect_goes_on();
}

// What the home has signed so can't be mended afterwards: it would be a fork.
void refuses_signed_log(Trial& trial,
                        const std::function<std::string(Follower&, HomeChannel&)>& append,
                        const Follower::Change& change, const Codes& codes)
{
    Follower follower(trial);
    auto log = follower.copy();
    const auto text = append(follower, log);
    const auto result = follower.send(log, follower.have(), log.latest(), [&](auto& slice) {
        if (change) change(slice);
        sign_as_changed(slice);
    });
    follower.expect_refused(result, codes);
    follower.expect_unread(text);
    trial.expect_still_serves();
}

void refuses_a_clock_set_back(Trial& trial)
{
    const auto append = [&](Follower&, HomeChannel& log) {
        const auto text = trial.new_text();
        log.say(trial.new_text(), trial.now());
        log.say(text, trial.now());
        return text;
    };
    refuses_signed_log(
        trial, append,
        [](auto& slice) {
            auto& entries = slice.body["entries"];
            entries[1]["at"] = entries[0]["at"].template get<std::int64_t>() - 1;
        },
        is_malformed);
}

void refuses_another_channels_event(Trial& trial)
{
    const auto append = [&](Follower&, HomeChannel& log) {
        const auto text = trial.new_text();
        auto& elsewhere = trial.origin().make_channel();
        log.append(elsewhere.message(log.owner(), text, trial.now()), trial.now());
        return text;
    };
    refuses_signed_log(trial, append, {}, is_malformed);
}

// [LOG-11] The home writes in the name of a user of the target.
void refuses_own_users_event(Trial& trial)
{
    const auto append = [&](Follower&, HomeChannel& log) {
        const auto text = trial.new_text();
        log.append(log.message(trial.accounts().user(Who::first), text, trial.now()), trial.now());
        return text;
    };
    refuses_signed_log(trial, append, {}, is_unproven);
}

// --- the checkpoint

void refuses_a_forged_root(Trial& trial)
{
    const auto forge = [&](nlohmann::json& body) {
        const auto text = body["roots"][0].get<std::string>();
        const auto end = text.rfind('.');
        body["roots"][0] =
            text.substr(0, end + 1) + base64url(SigningKey::random().sign(text.substr(0, end)));
    };
    refuses_until_right(trial, {}, forge, is_unproven);
}

// [LOG-6] Not even where `keys` shows the key.
void refuses_a_shown_key(Trial& trial)
{
    Follower follower(trial);
    const auto text = follower.say();
    auto& home = follower.home();
    const auto key = SigningKey::random();
    const auto slice = home.slice(follower.have(), home.latest());
    const auto result =
        follower.send_by(trial.origin(), key, home, slice, [&](nlohmann::json& body) {
            body["logs"][0]["keys"] =
                nlohmann::json::array({nlohmann::json{{"server", trial.origin().name()},
                                                      {"key", key.jwk()},
                                                      {"statements", nlohmann::json::array()}}});
        });
    trial.expect(!result.is_object() || result.value("status", "") != "ok", "refused",
                 "a checkpoint under a key that only the slice shows is taken");
    follower.expect_unread(text);
    follower.catch_up();
    follower.expect_read(text);
}

void refuses_another_servers_checkpoint(Trial& trial)
{
    auto& other = trial.another();
    const auto sign_it = [&](nlohmann::json& body) {
        const auto slice = body["logs"][0];
        const auto seq = slice["checkpoint"]["seq"].get<std::uint64_t>();
        const auto leaf = checkpoint_leaf(slice["channel"].get<std::string>(), 1, seq,
                                          slice["checkpoint"]["hash"].get<std::string>());
        body["roots"][0] = signed_root(other.name(), other.key(), {leaf}, trial.now());
    };
    refuses_until_right(trial, {}, sign_it, is_unproven);
}

// The leaf of a seal, or of anything else, that has the same lines behind its first.
void seal_in_its_place(HomeChannel::Slice& slice)
{
    const auto& checkpoint = slice.body["checkpoint"];
    slice.leaf = seal_leaf(slice.body["channel"].get<std::string>(),
                           {"1", std::to_string(checkpoint["seq"].get<std::uint64_t>()),
                            checkpoint["hash"].get<std::string>()});
}

void of_another_channel(HomeChannel::Slice& slice)
{
    const auto& checkpoint = slice.body["checkpoint"];
    auto channel = slice.body["channel"].get<std::string>();
    channel.front() = channel.front() == '0' ? '1' : '0';
    slice.leaf = checkpoint_leaf(channel, 1, checkpoint["seq"].get<std::uint64_t>(),
                                 checkpoint["hash"].get<std::string>());
}

void of_another_epoch(HomeChannel::Slice& slice)
{
    auto& checkpoint = slice.body["checkpoint"];
    checkpoint["epoch"] = 2;
    slice.leaf = checkpoint_leaf(slice.body["channel"].get<std::string>(), 2,
                                 checkpoint["seq"].get<std::uint64_t>(),
                                 checkpoint["hash"].get<std::string>());
}

void behind_another_entry(HomeChannel::Slice& slice)
{
    slice.body["after"]["hash"] = base64url(sha256("another entry"));
}

void with_a_low_latest(HomeChannel::Slice& slice)
{
    slice.body["latest"] = slice.body["after"]["seq"];
}

// [QRY-13]
void with_a_high_floor(HomeChannel::Slice& slice)
{
    slice.body["floor"] = slice.body["after"]["seq"].get<std::uint64_t>() + 1;
}

// --- seals

// A message of another server's user, behind one of the home's own, under `change`; nothing of the
// slice is taken until the seal is there.
void refuses_seal(Trial& trial, const std::function<void(nlohmann::json&, const Event&)>& change)
{
    Follower follower(trial);
    auto& author = trial.another();
    follower.add_member(author);
    const auto before = follower.say();
    auto& home = follower.home();
    const auto text = trial.new_text();
    const auto event =
        follower.append_sealed(home, author, home.message(author.user(), text, trial.now()));
    const auto result = follower.send(home, follower.have(), home.latest(), {},
                                      [&](nlohmann::json& body) { change(body, event); });
    follower.expect_refused(result, is_unproven);
    follower.expect_unread(text);
    follower.expect_unread(before);
    follower.catch_up();
    follower.expect_read(before);
    follower.expect_read(text);
}

void refuses_without_a_seal(Trial& trial)
{
    refuses_seal(trial, [](nlohmann::json& body, const Event&) {
        body["logs"][0].erase("seals");
        body["roots"].erase(1);
    });
}

void refuses_the_homes_seal(Trial& trial)
{
    refuses_seal(trial, [&](nlohmann::json& body, const Event& event) {
        const auto leaf = seal_leaf(body["logs"][0]["channel"].get<std::string>(), {event.id()});
        body["roots"][1] =
            signed_root(trial.origin().name(), trial.origin().key(), {leaf}, trial.now());
    });
}

// --- who sends it

void refuses_a_stranger(Trial& trial)
{
    Follower follower(trial);
    auto& stranger = trial.another();
    const auto text = follower.say();
    auto& home = follower.home();
    const auto slice = home.slice(follower.have(), home.latest());
    // What the home has signed, and what the stranger has.
    follower.expect_refused(follower.send_by(stranger, trial.origin().key(), home, slice),
                            {"not-home"});
    const auto sign_it = [&](nlohmann::json& body) {
        body["roots"][0] = signed_root(stranger.name(), stranger.key(), {slice.leaf}, trial.now());
    };
    follower.expect_refused(follower.send_by(stranger, stranger.key(), home, slice, sign_it),
                            {"not-home"});
    follower.expect_unread(text);
    follower.catch_up();
    follower.expect_read(text);
}

// [SUC-6] Whoever follows the channel may bring what its home has signed.
void takes_from_a_member(Trial& trial)
{
    Follower follower(trial);
    auto& other = trial.another();
    follower.add_member(other);
    const auto text = follower.say();
    auto& home = follower.home();
    const auto slice = home.slice(follower.have(), home.latest());
    follower.expect_taken(follower.send_by(other, trial.origin().key(), home, slice), home,
                          home.latest());
    follower.expect_read(text);
}

}  // namespace

std::vector<Case> log_proof_cases()
{
    return {
        {.id = "log-16",
         .clause = "LOG-1",
         .proves =
             "A slice is refused where the hashes of its entries don't lead to its checkpoint's",
         .run = refuses_another_entry,
         .mutants = {{"no-chain-check", "refused"}}},
        {.id = "log-17",
         .clause = "LOG-13",
         .proves = "A slice whose after has another hash than the entry that the target holds "
                   "there is refused",
         .run = refuses_with(behind_another_entry, is_malformed),
         .mutants = {{"no-chain-check", "refused"}}},
        {.id = "log-18",
         .clause = "LOG-13",
         .proves = "A slice in which an entry's at is lower than that of the entry before is "
                   "refused as malformed",
         .run = refuses_a_clock_set_back,
         .mutants = {{"slice-any-time", "refused"}}},
        {.id = "log-19",
         .clause = "LOG-13",
         .proves =
             "A slice whose latest is below the number of its last entry is refused as malformed",
         .run = refuses_with(with_a_low_latest, is_malformed),
         .mutants = {{"slice-any-latest", "refused"}}},
        {.id = "log-20",
         .clause = "QRY-13",
         .proves = "A slice whose floor is above the number in its after is refused as malformed",
         .run = refuses_with(with_a_high_floor, is_malformed),
         .mutants = {{"slice-any-floor", "refused"}}},
        {.id = "log-21",
         .clause = "LOG-1",
         .proves = "A slice with an entry whose content isn't the one of the hash in its event is "
                   "refused",
         .run = refuses_another_content,
         .mutants = {{"slice-any-content", "refused"}}},
        {.id = "log-22",
         .clause = "LOG-1",
         .proves = "A slice with an entry whose event names another channel is refused",
         .run = refuses_another_channels_event,
         .mutants = {{"slice-any-channel", "refused"}}},
        {.id = "log-23",
         .clause = "LOG-1",
         .proves =
             "A slice whose root names the home's key, but was signed by another key, is refused",
         .run = refuses_a_forged_root,
         .mutants = {{"no-root-signature", "refused"}}},
        {.id = "log-24",
         .clause = "LOG-6",
         .proves = "A slice whose checkpoint is under a key of the home's that only the slice "
                   "shows, in keys, is refused",
         .run = refuses_a_shown_key,
         .mutants = {{"vouches-checkpoint", "refused"}}},
        {.id = "log-25",
         .clause = "LOG-1",
         .proves = "A slice whose checkpoint another server than the home has signed is refused",
         .run = refuses_another_servers_checkpoint,
         .mutants = {{"checkpoint-any-server", "refused"}}},
        {.id = "log-26",
         .clause = "LOG-1",
         .proves = "A slice whose checkpoint is for another channel is refused",
         .run = refuses_with(of_another_channel, is_unproven),
         .mutants = {{"no-checkpoint-proof", "refused"}}},
        {.id = "log-27",
         .clause = "LOG-13",
         .proves =
             "A slice whose checkpoint has another epoch than the slice is refused as malformed",
         .run = refuses_with(of_another_epoch, is_malformed),
         .mutants = {{"checkpoint-any-epoch", "refused"}}},
        {.id = "log-28",
         .clause = "LOG-1",
         .proves = "A slice whose checkpoint is proven by the leaf of a seal is refused",
         .run = refuses_with(seal_in_its_place, is_unproven),
         .mutants = {{"no-checkpoint-proof", "refused"}, {"leaf-prefix-ignored", "refused"}}},
        {.id = "log-29",
         .clause = "LOG-1",
         .proves = "A slice with an entry by another server's user over which there is no seal is "
                   "refused as a whole",
         .run = refuses_without_a_seal,
         .mutants = {{"slice-no-seals", "refused"}}},
        {.id = "log-30",
         .clause = "LOG-1",
         .proves = "A slice with an entry by another server's user over which the home has signed "
                   "the seal is refused",
         .run = refuses_the_homes_seal,
         .mutants = {{"slice-no-seals", "refused"}, {"seal-any-server", "refused"}}},
        {.id = "log-31",
         .clause = "LOG-11",
         .proves = "A slice with an entry in the name of the target's own user, which the target "
                   "hasn't sealed, isn't taken",
         .run = refuses_own_users_event,
         .mutants = {{"slice-no-seals", "refused"}}},
        {.id = "log-32",
         .clause = "LOG-3",
         .proves = "A slice from a server that is neither the channel's home nor has a member in "
                   "it is refused as not-home",
         .run = refuses_a_stranger,
         .mutants = {{"slice-from-anyone", "refused"}}},
        {.id = "log-33",
         .clause = "SUC-6",
         .proves = "A slice that the home has signed is taken from another server that has a "
                   "member in the channel",
         .run = takes_from_a_member,
         .mutants = {{"slice-from-home-only", "taken"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
