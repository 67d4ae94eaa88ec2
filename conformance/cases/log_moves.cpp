// Moves: a log that goes on at another home under the next epoch, once that home has said that it
// takes it [SUC-2].
#include <utility>

#include "conformance/cases/log_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr int next_epoch = 2;

nlohmann::json consent_to(const std::string& channel, const Origin& next, int epoch)
{
    return {{"channel", channel}, {"epoch", epoch}, {"home", next.name()}};
}

std::string signed_consent(const nlohmann::json& payload, const Origin& next)
{
    return jws(next.name(), "entente-home", payload.dump(), next.key());
}

// It names the next home's own key, and is signed by another one.
std::string forged_consent(const nlohmann::json& payload, const Origin& next)
{
    const nlohmann::json header = {
        {"alg", "Ed25519"}, {"kid", next.name() + "#" + next.key().id()}, {"typ", "entente-home"}};
    return jws_of(header.dump(), payload.dump(), SigningKey::random());
}

// The owner's channel.move to `next`, as the last entry so far; with no consent where it is empty.
void append_move(Trial& trial, Follower& follower, const Origin& next, const std::string& consent)
{
    auto& home = follower.home();
    nlohmann::json content = {{"home", next.name()}};
    if (!consent.empty()) content["consent"] = consent;
    home.append(
        make_event({{"type", "channel.move"}, {"channel", home.id()}, {"sender", home.owner()}},
                   salted(std::move(content)), trial.now()),
        trial.now());
}

// All that the target lacks, of which the last entry is a move: taken whatever comes of that. The
// epoch in which its log goes on.
std::uint64_t epoch_behind_move(Follower& follower)
{
    auto& home = follower.home();
    const auto result = follower.send(home, follower.have(), home.latest());
    follower.expect_status(result, "ok", "taken");
    return result.value("epoch", std::uint64_t{0});
}

// A slice of the next epoch, with a message of its own user, that `next` orders and signs.
struct NextEpoch {
    std::string text;
    std::string hash;
    nlohmann::json result;
};

NextEpoch send_next_epoch(Trial& trial, Follower& follower, Origin& next)
{
    NextEpoch sent;
    sent.text = trial.new_text();
    auto log = follower.copy();
    const auto after = log.latest();
    log.append(log.message(next.user(), sent.text, trial.now()), trial.now());
    auto slice = log.slice(after, log.latest());
    slice.body["epoch"] = next_epoch;
    sign_as_changed(slice);
    sent.hash = slice.body["checkpoint"]["hash"].get<std::string>();
    sent.result = follower.send_by(next, next.key(), log, slice, [&](nlohmann::json& body) {
        body["roots"][0] = signed_root(next.name(), next.key(), {slice.leaf}, trial.now());
    });
    return sent;
}

void follows_a_move(Trial& trial)
{
    Follower follower(trial);
    auto& next = trial.another();
    follower.add_member(next);
    auto& home = follower.home();
    append_move(trial, follower, next,
                signed_consent(consent_to(home.id(), next, next_epoch), next));
    const auto moved = home.latest();
    const auto epoch = epoch_behind_move(follower);
    trial.expect(epoch == next_epoch, "moved",
                 "behind the move the result names the epoch " + std::to_string(epoch) +
                     ", and should name 2");

    const auto sent = send_next_epoch(trial, follower, next);
    follower.expect_status(sent.result, "ok", "followed");
    trial.expect(sent.result.value("have", std::uint64_t{0}) == moved + 1 &&
                     sent.result.value("hash", "") == sent.hash &&
                     sent.result.value("epoch", std::uint64_t{0}) == next_epoch,
                 "followed",
                 "the next home's slice has the result " + sent.result.dump() +
                     ", and should have ok of entry " + std::to_string(moved + 1) +
                     " in epoch 2 with the hash " + sent.hash);
    follower.expect_read(sent.text);

    // Of the home that was nothing new is taken any more.
    const auto late = follower.say();
    const auto result = follower.send(home, moved, home.latest());
    trial.expect(result.value("have", moved + 1) == moved + 1, "moved",
                 "what the former home orders behind the move has the result " + result.dump());
    follower.expect_unread(late);
    trial.expect_still_serves();
}

void stays_without_a_consent(Trial& trial)
{
    Follower follower(trial);
    auto& next = trial.another();
    follower.add_member(next);
    auto& home = follower.home();
    const auto right = consent_to(home.id(), next, next_epoch);
    const auto elsewhere = time_uuid(trial.now()) + "@" + trial.origin().name();
    const std::vector<std::pair<std::string, std::string>> moves = {
        {"without a consent", ""},
        {"whose consent another key has signed", forged_consent(right, next)},
        {"whose consent is to epoch 3",
         signed_consent(consent_to(home.id(), next, next_epoch + 1), next)},
        {"whose consent is to another channel",
         signed_consent(consent_to(elsewhere, next, next_epoch), next)},
    };
    for (const auto& [what, consent] : moves) {
        append_move(trial, follower, next, consent);
        const auto epoch = epoch_behind_move(follower);
        trial.expect(epoch == 1, "stays",
                     "behind a channel.move " + what + " the result names the epoch " +
                         std::to_string(epoch) + ", and should name 1");
        follower.catch_up();
        const auto sent = send_next_epoch(trial, follower, next);
        follower.expect_status(sent.result, "gap", "stays");
        follower.expect_unread(sent.text);
    }
    follower.expect_goes_on();
}

}  // namespace

std::vector<Case> log_move_cases()
{
    return {
        {.id = "log-56",
         .clause = "SUC-2",
         .proves = "Behind an owner's channel.move with the next home's consent the log goes on "
                   "there, in epoch 2",
         .run = follows_a_move,
         .mutants = {{"moves-ignored", "moved"}},
         .negative = false},
        {.id = "log-57",
         .clause = "SUC-2",
         .proves = "A channel.move without the next home's signed consent to that epoch of that "
                   "channel moves nothing",
         .run = stays_without_a_consent,
         .mutants = {{"consent-unchecked", "stays"}}},
    };
}

}  // namespace entente::conformance
