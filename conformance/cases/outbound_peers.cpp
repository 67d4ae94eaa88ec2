// Peers that are down, dead, silent, unreliable, or under a new key
// [RETRY-1, RETRY-6, INBOX-7, KEY-2].
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>

#include "conformance/cases/outbound_parts.hpp"
#include "conformance/judge/follower.hpp"
#include "conformance/wire/statements.hpp"

namespace entente::conformance {

namespace {

constexpr Millis peer_patience{15'000};

// The origin closes every connection once it has read a transaction, until `ends`.
class Away {
 public:
    explicit Away(Origin& origin) : is_away_(std::make_shared<std::atomic<bool>>(true))
    {
        origin.on([is_away = is_away_](const Request& request) -> std::optional<Reply> {
            if (request.method != "POST" || !*is_away) return std::nullopt;
            return reply_nothing();
        });
    }
    void ends() { *is_away_ = false; }

 private:
    std::shared_ptr<std::atomic<bool>> is_away_;
};

void catches_up_by_itself(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    std::vector<Posted> posted = {post(trial, channel)};
    if (!origin.wait_for_entry(channel, posted.back().event, in(peer_patience)))
        throw CouldNotRun("a message of the target's account hasn't come");
    Away away(origin);
    for (int n = 0; n < 10; ++n) posted.push_back(post(trial, channel));
    static_cast<void>(wait_for_arrival(origin, posted[1].text, 1, peer_patience, "sent"));
    away.ends();
    trial.expect(origin.wait_for_entry(channel, posted.back().event, in(peer_patience)),
                 "caught-up", "what was posted while it was down doesn't come");
    expect_in_order(origin, channel, posted);
}

// [LOG-8] It may have been put back to an older state meanwhile.
void asks_what_is_held(Trial& trial)
{
    const auto channel = settled_channel(trial);
    const auto quiet = trial.accounts().create_channel(Who::first, {});
    auto& origin = trial.origin();
    trial.join(origin, trial.user(), quiet);
    const auto last = post(trial, quiet);
    if (!origin.wait_for_entry(quiet, last.event, in(peer_patience)))
        throw CouldNotRun("a message of the target's account hasn't come");
    const auto held = origin.entries_of(quiet).back();
    const auto text = trial.new_text();
    answer_so(origin, text, 1, no_answer());
    trial.accounts().post(Who::first, channel, text);
    const auto first = wait_for_arrival(origin, text, 1, peer_patience, "sent");
    static_cast<void>(wait_for_arrival(origin, text, 2, peer_patience, "sent-again"));
    const auto asked = origin.wait_for(
        [&](const Received& one) {
            return is_inbox(one) && one.at > first.at && !slice_in(one.body, quiet).is_null();
        },
        in(peer_patience));
    trial.expect(asked.has_value(), "asked",
                 "behind an answer that failed to come, no slice of the other channel has come "
                 "within 15 s, and a heartbeat should have");
    const auto slice = slice_in(asked->body, quiet);
    trial.expect(slice["entries"].empty() &&
                     slice["after"] == nlohmann::json({{"seq", held.seq}, {"hash", held.hash}}),
                 "asked",
                 "of the channel without news came " + slice.dump() +
                     ", and should a slice without entries behind entry " +
                     std::to_string(held.seq));
}

void ends_its_wait_when_it_hears(Trial& trial)
{
    const MachineWatch watch(trial.world().file().folder);
    const auto channel = settled_channel(trial);
    auto& origin = trial.origin();
    const auto text = trial.new_text();
    answer_so(origin, text, 2, no_answer());
    trial.accounts().post(Who::first, channel, text);
    // Behind the second failure its own wait is 2 s ±20 %.
    const auto second = wait_for_arrival(origin, text, 2, peer_patience, "sent-again");
    trial.control();
    const auto third = wait_for_arrival(origin, text, 3, peer_patience, "sent-again");
    watch.expect_within(Millis(third.at - second.at), Millis(1'500), "heard",
                        "a proven request of the peer's doesn't end the wait");
}

// Takes a part of what it is given, or takes it and doesn't answer, or is away for a moment.
void fail_at_random(Origin& origin, unsigned seed)
{
    struct Dice {
        std::mutex mutex;
        std::mt19937 engine;
        int failures = 3;
    };
    const auto dice = std::make_shared<Dice>();
    dice->engine.seed(seed);
    origin.on([&origin, dice](const Request& request) -> std::optional<Reply> {
        auto body = nlohmann::json::parse(request.body, nullptr, false);
        if (!body.is_object() || !body.contains("logs")) return std::nullopt;
        const std::lock_guard lock(dice->mutex);
        const auto roll = dice->engine() % 8;
        if (roll == 0 && dice->failures > 0) {
            --dice->failures;
            if (dice->engine() % 2 == 0) static_cast<void>(origin.inbox_result(body));
            return reply_nothing();
        }
        if (roll < 4) {
            for (auto& slice : body["logs"])
                if (slice["entries"].size() > 1)
                    slice["entries"].erase(slice["entries"].size() - 1);
        }
        return origin.signed_json(request, 200, origin.inbox_result(body));
    });
}

void keeps_order(Trial& trial)
{
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    fail_at_random(origin, 7);
    std::vector<Posted> posted;
    for (int n = 0; n < 100; ++n) posted.push_back(post(trial, channel));
    // Behind its three failures the target waits 4 s ±20 %, however long all of it takes.
    for (std::size_t came = 0, before = 0;
         !origin.wait_for_entry(channel, posted.back().event, in(peer_patience)); before = came) {
        came = arrivals(origin, "").size();
        trial.expect(came > before, "order",
                     "what was posted doesn't come to a peer that fails now and then");
    }
    expect_in_order(origin, channel, posted);
}

// Of two servers in one channel, one that takes connections and says nothing, and one that isn't
// there at all.
void is_not_delayed_by_the_dead(Trial& trial)
{
    const MachineWatch watch(trial.world().file().folder);
    const std::string channel = trial.channel();
    auto& origin = trial.origin();
    auto& silent = trial.another("silent");
    auto& gone = trial.another("gone");
    trial.join(silent, silent.user(), channel);
    trial.join(gone, gone.user(), channel);
    silent.on([](const Request& request) -> std::optional<Reply> {
        if (request.method != "POST") return std::nullopt;
        Reply reply;
        reply.end = Reply::End::hang;
        return reply;
    });
    gone.set_down(true);
    for (int n = 0; n < 5; ++n) {
        const auto posted = post(trial, channel);
        expect_entry_within(origin, channel, posted.event, Millis(1'000), watch, "undelayed",
                            "where another peer is dead, a message comes late");
    }
}

// --- a new key

// The origin's document and whatever it signs are under a new key from now on, with a statement.
void rotate(Origin& origin, std::int64_t now)
{
    const auto key = SigningKey::random();
    auto document = origin.document();
    document["statements"].push_back(
        rotation(origin.name(), origin.key().id(), key, now, origin.key()));
    auto old = document["keys"][0];
    old["until"] = now;
    document["old_keys"].push_back(old);
    auto jwk = key.jwk();
    jwk["from"] = now;
    document["keys"] = nlohmann::json::array({jwk});
    origin.publish(document);
    origin.use_key(key);
}

void goes_on_under_a_new_key(Trial& trial)
{
    Follower follower(trial);
    auto& origin = trial.origin();
    std::vector<Posted> posted = {post(trial, follower.id())};
    expect_standing(trial, posted.back(), "accepted", "settled");
    Away away(origin);
    for (int n = 0; n < 3; ++n) posted.push_back(post(trial, follower.id()));
    static_cast<void>(wait_for_arrival(origin, posted[1].text, 1, peer_patience, "sent"));
    rotate(origin, trial.now());
    away.ends();
    for (const auto& one : posted) expect_standing(trial, one, "accepted", "goes-on");
    posted.push_back(post(trial, follower.id()));
    expect_standing(trial, posted.back(), "accepted", "goes-on");
    trial.expect(arrivals(origin, posted.back().text).size() == 1, "goes-on",
                 "an answer under the new key isn't taken at once");
}

void loses_nothing(Trial& trial)
{
    Follower follower(trial);
    auto& origin = trial.origin();
    Away away(origin);
    std::vector<Posted> posted;
    for (int n = 0; n < 10; ++n) posted.push_back(post(trial, follower.id()));
    trial.hook("kill9");
    trial.wait_until_served(Millis(30'000));
    away.ends();
    for (const auto& one : posted)
        static_cast<void>(wait_for_arrival(origin, one.text, 1, Millis(30'000), "nothing-lost"));
    for (const auto& one : posted) expect_standing(trial, one, "accepted", "nothing-lost");
    const auto seqs = origin.with([&] {
        std::vector<std::uint64_t> found;
        for (const auto& one : posted) found.push_back(follower.home().find(one.event));
        return found;
    });
    trial.expect(std::is_sorted(seqs.begin(), seqs.end()) && seqs.front() > 0, "order",
                 "behind the restart they come in another order");
}

}  // namespace

std::vector<Case> outbound_peer_cases()
{
    return {
        {.id = "out-35",
         .clause = "RETRY-1",
         .proves = "A peer that was down is sent all that it missed, without anything new",
         .run = catches_up_by_itself,
         .mutants = {{"sends-once", "caught-up"}},
         .negative = false},
        {.id = "out-36",
         .clause = "RETRY-6",
         .proves = "A proven request of a peer ends the wait for it",
         .run = ends_its_wait_when_it_hears,
         .mutants = {{"deaf-while-waiting", "heard"}},
         .negative = false},
        {.id = "out-37",
         .clause = "INBOX-7",
         .proves = "A hundred messages come in order and once each to a peer that fails at random",
         .run = keeps_order,
         .mutants = {{"sends-out-of-order", "order"}},
         .negative = false},
        {.id = "out-38",
         .clause = "INBOX-7",
         .proves = "Peers that are dead or silent don't delay another one",
         .run = is_not_delayed_by_the_dead,
         .mutants = {{"one-peer-at-a-time", "undelayed"}},
         .negative = false},
        {.id = "out-39",
         .clause = "KEY-2",
         .proves = "What waits for a peer is handed in under that peer's new key",
         .run = goes_on_under_a_new_key,
         .mutants = {{"no-rotation", "goes-on"}},
         .negative = false},
        {.id = "out-40",
         .clause = "RETRY-1",
         .profile = Profile::durable,
         .proves = "A kill -9 loses no message that the target's account was told is on its way",
         .run = loses_nothing,
         .mutants = {{"volatile-submissions", "nothing-lost"}},
         .hooks = {"kill9"},
         .alone = true,
         .negative = false},
    };
}

std::vector<Case> outbound_absence_cases()
{
    return {
        {.id = "out-42",
         .clause = "LOG-8",
         .proves = "A peer that was away is sent a heartbeat of each channel without news as well",
         .run = asks_what_is_held,
         .mutants = {{"asks-nobody-who-was-away", "asked"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
