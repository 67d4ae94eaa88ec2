// What a follower takes of its home, and what it says that it holds then [LOG-1, LOG-2, LOG-7,
// LOG-12, LOG-13, MEM-2, MEM-4].
#include "conformance/cases/log_parts.hpp"
#include "conformance/judge/follower.hpp"

namespace entente::conformance {

namespace {

void takes_a_slice(Trial& trial)
{
    Follower follower(trial);
    const auto first = follower.say();
    const auto second = follower.say();
    follower.catch_up();
    follower.expect_read(first);
    follower.expect_read(second);
}

void says_gap(Trial& trial)
{
    Follower follower(trial);
    const auto missed = follower.say();
    const auto text = follower.say();
    const auto have = follower.have();
    const auto result = follower.send(follower.home(), have + 1, have + 2);
    follower.expect_status(result, "gap", "gap");
    trial.expect(result.value("have", std::uint64_t{0}) == have &&
                     result.value("hash", "") == follower.home().hash_at(have),
                 "gap", "the gap doesn't say what is held: " + result.dump());
    follower.expect_unread(text);
    follower.catch_up();
    follower.expect_read(missed);
    follower.expect_read(text);
    follower.expect_goes_on();
}

void takes_overlap_once(Trial& trial)
{
    Follower follower(trial);
    const auto first = follower.say();
    follower.catch_up();
    const auto second = follower.say();
    auto& home = follower.home();
    follower.expect_taken(follower.send(home, 0, home.latest()), home, home.latest());
    // What is held already is compared and skipped.
    follower.expect_taken(follower.send(home, 1, home.latest()), home, home.latest());
    follower.expect_read(first);
    follower.expect_read(second);
}

void answers_a_heartbeat(Trial& trial)
{
    Follower follower(trial);
    const auto have = follower.have();
    follower.expect_taken(follower.send(follower.home(), have, have), follower.home(), have);
    follower.expect_goes_on();
}

void knows_no_channel(Trial& trial)
{
    Follower follower(trial);
    auto& other = trial.origin().make_channel();
    const auto result = follower.send(other, 0, other.latest());
    follower.expect_status(result, "not-following", "not-following");
    trial.expect(trial.accounts().messages(Who::first, other.id()).empty(), "no-effect",
                 "the target's account can read a channel that it isn't in");
    follower.expect_goes_on();
}

void takes_unknown_members(Trial& trial)
{
    Follower follower(trial);
    auto& author = trial.another();
    follower.add_member(author);
    auto& home = follower.home();
    const auto text = trial.new_text();
    follower.append_sealed(home, author, home.message(author.user(), text, trial.now()));
    const auto result = follower.send(home, follower.have(), home.latest(), {}, [](auto& body) {
        body["x-new"] = 1;
        auto& slice = body["logs"][0];
        slice["x-new"] = {{"a", nlohmann::json::array({1, nullptr})}};
        slice["after"]["x-new"] = "a";
        slice["entries"][0]["x-new"] = false;
        slice["seals"][0]["x-new"] = nullptr;
        slice["seals"][0]["proof"]["x-new"] = 7;
        slice["checkpoint"]["x-new"] = "b";
    });
    follower.expect_taken(result, home, home.latest());
    follower.expect_read(text);
}

void takes_unknown_types(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    home.append(make_event({{"type", "example.new"},
                            {"channel", home.id()},
                            {"sender", home.owner()},
                            {"x-new", 1}},
                           salted({{"anything", {1, 2}}}), trial.now()),
                trial.now());
    const auto text = follower.say();
    follower.catch_up();
    follower.expect_read(text);
}

// [LOG-1] One entry without form must not end the channel for those who follow it.
void takes_what_has_no_form(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    home.append(make_event({{"type", "message.create"},
                            {"channel", home.id()},
                            {"sender", home.owner()},
                            {"txn", "no uuid"}},
                           salted({{"text", trial.new_text()}}), trial.now()),
                trial.now());
    const auto text = follower.say();
    follower.catch_up();
    follower.expect_read(text);
}

// [MEM-2] The home takes what it should have refused: a mere member kicks the target's account.
void folds_for_itself(Trial& trial)
{
    Follower follower(trial);
    auto& author = trial.another();
    follower.add_member(author);
    auto& home = follower.home();
    follower.append_sealed(
        home, author,
        make_event({{"type", "member.kick"}, {"channel", home.id()}, {"sender", author.user()}},
                   salted({{"user", trial.accounts().user(Who::first)}}), trial.now()));
    follower.catch_up();
    const auto text = follower.say();
    const auto result = follower.send(home, follower.have(), home.latest());
    follower.expect_status(result, "ok", "no-effect");
    follower.expect_read(text);
}

// --- contents that are gone

// A message, and the deletion behind it.
struct Deleted {
    std::string text;
    std::uint64_t seq;
    std::uint64_t by;
};

Deleted append_deleted(Trial& trial, HomeChannel& home)
{
    Deleted deleted;
    deleted.text = trial.new_text();
    const auto said = home.say(deleted.text, trial.now());
    deleted.seq = home.latest();
    deleted.by = home.append(make_event({{"type", "message.delete"},
                                         {"channel", home.id()},
                                         {"sender", home.owner()},
                                         {"target", said.id()}},
                                        salted({}), trial.now()),
                             trial.now());
    return deleted;
}

void takes_deleted(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    const auto have = follower.have();
    const auto deleted = append_deleted(trial, home);
    const auto behind = follower.say();
    const auto result = follower.send(home, have, home.latest(), [&](auto& slice) {
        auto& entry = slice.body["entries"][deleted.seq - have - 1];
        entry.erase("content");
        entry["deleted_by"] = deleted.by;
    });
    follower.expect_taken(result, home, home.latest());
    follower.expect_read(behind);
    follower.expect_unread(deleted.text);
}

void erases_what_is_deleted(Trial& trial)
{
    Follower follower(trial);
    auto& home = follower.home();
    const auto deleted = append_deleted(trial, home);
    follower.expect_taken(follower.send(home, follower.have(), deleted.seq), home, deleted.seq);
    follower.expect_read(deleted.text);
    follower.expect_taken(follower.send(home, deleted.seq, deleted.by), home, deleted.by);
    follower.expect_unread(deleted.text);
}

// [LOG-12] What an entry says of its content beside it, or of who deleted it.
void refuses_what_is_said(Trial& trial, bool with_content, std::int64_t by)
{
    Follower follower(trial);
    auto& home = follower.home();
    const auto have = follower.have();
    const auto deleted = append_deleted(trial, home);
    const auto result = follower.send(home, have, home.latest(), [&](auto& slice) {
        auto& entry = slice.body["entries"][deleted.seq - have - 1];
        entry["deleted_by"] = by < 0 ? static_cast<std::int64_t>(deleted.by) : by;
        if (!with_content) entry.erase("content");
    });
    follower.expect_refused(result, {"malformed"});
    follower.expect_unread(deleted.text);
    follower.catch_up();
    follower.expect_goes_on();
}

void refuses_content_and_deletion(Trial& trial)
{
    refuses_what_is_said(trial, true, -1);
}

void refuses_deletion_by_nothing(Trial& trial)
{
    refuses_what_is_said(trial, false, 0);
}

// An entry without its content, said to be so by `mark`, or by nothing.
std::function<void(Trial&)> takes_without_content(const nlohmann::json& mark)
{
    return [=](Trial& trial) {
        Follower follower(trial);
        auto& home = follower.home();
        const auto gone = follower.say();
        const auto behind = follower.say();
        const auto result = follower.send(home, follower.have(), home.latest(), [&](auto& slice) {
            auto& entry = slice.body["entries"][0];
            entry.erase("content");
            entry.update(mark);
        });
        follower.expect_taken(result, home, home.latest());
        follower.expect_read(behind);
        follower.expect_unread(gone);
    };
}

const nlohmann::json nothing_said = nlohmann::json::object();
const nlohmann::json said_expired = {{"expired", true}};

}  // namespace

std::vector<Case> log_slice_cases()
{
    return {
        {.id = "log-01",
         .clause = "LOG-2",
         .proves = "A slice whose entries, seals and checkpoint are right is answered ok, with the "
                   "number and hash of its last entry",
         .run = takes_a_slice,
         .mutants = {{"slice-result-without-hash", "result"}},
         .negative = false},
        {.id = "log-02",
         .clause = "LOG-2",
         .proves = "A slice that begins behind an entry that the target lacks is answered gap, "
                   "with what it holds, and not taken",
         .run = says_gap,
         .mutants = {{"no-gap-check", "gap"}}},
        {.id = "log-03",
         .clause = "LOG-2",
         .proves = "A slice that begins with entries that the target holds is taken: these are "
                   "skipped, the others appended once",
         .run = takes_overlap_once,
         .mutants = {{"overlap-refused", "taken"}, {"overlap-twice", "once"}},
         .negative = false},
        {.id = "log-04",
         .clause = "LOG-14",
         .proves = "A slice without entries, a heartbeat, is answered ok, with the number and hash "
                   "of what the target holds",
         .run = answers_a_heartbeat,
         .mutants = {{"heartbeat-refused", "taken"}},
         .negative = false},
        {.id = "log-05",
         .clause = "LOG-2",
         .proves = "A slice of a channel that nobody at the target is in is answered not-following",
         .run = knows_no_channel,
         .mutants = {{"follows-anything", "not-following"}}},
        {.id = "log-06",
         .clause = "EVT-3",
         .proves =
             "A slice with unknown members, in it and in each of its parts, is taken all the same",
         .run = takes_unknown_members,
         .mutants = {{"slice-strict-members", "taken"}},
         .negative = false},
        {.id = "log-07",
         .clause = "LOG-7",
         .proves = "A slice with an entry of an unknown type is taken, and the log goes on",
         .run = takes_unknown_types,
         .mutants = {{"slice-known-types-only", "taken"}},
         .negative = false},
        {.id = "log-08",
         .clause = "LOG-1",
         .proves = "A slice with an entry that breaks a rule of form (its txn is no UUID) is "
                   "taken, and the log goes on",
         .run = takes_what_has_no_form,
         .mutants = {{"slice-form-refused", "taken"}},
         .negative = false},
        {.id = "log-09",
         .clause = "MEM-2",
         .proves = "A slice with an entry that the home should have refused, a plain member's "
                   "kick, is taken, and nobody is kicked",
         .run = folds_for_itself,
         .mutants = {{"fold-trusts-home", "no-effect"}}},
        {.id = "log-10",
         .clause = "MEM-4",
         .proves =
             "A slice with an entry without content, which a later entry of it deletes, is taken",
         .run = takes_deleted,
         .mutants = {{"slice-content-required", "taken"}},
         .negative = false},
        {.id = "log-11",
         .clause = "MEM-4",
         .proves = "A slice that brings a deletion erases the text that the target holds already",
         .run = erases_what_is_deleted,
         .mutants = {{"delete-ignored", "no-effect"}}},
        {.id = "log-12",
         .clause = "LOG-12",
         .proves = "A slice with an entry that has content and deleted_by is refused as malformed",
         .run = refuses_content_and_deletion,
         .mutants = {{"slice-content-and-deletion", "refused"}}},
        {.id = "log-13",
         .clause = "LOG-12",
         .proves = "A slice with an entry whose deleted_by is 0 is refused as malformed",
         .run = refuses_deletion_by_nothing,
         .mutants = {{"slice-deleted-by-unchecked", "refused"}}},
        {.id = "log-14",
         .clause = "LOG-1",
         .proves = "A slice with an entry said to be expired, in a channel that keeps all, is "
                   "taken, and no text is read there",
         .run = takes_without_content(said_expired),
         .mutants = {{"slice-content-required", "taken"}},
         .negative = false},
        {.id = "log-15",
         .clause = "LOG-12",
         .proves = "A slice with an entry that has no content, and doesn't say why, is taken, and "
                   "no text is read there",
         .run = takes_without_content(nothing_said),
         .mutants = {{"slice-content-required", "taken"}},
         .negative = false},
    };
}

}  // namespace entente::conformance
