#include "conformance/judge/follower.hpp"

#include <algorithm>
#include <thread>

#include "conformance/sockets/patience.hpp"

namespace entente::conformance {

namespace {

constexpr Millis follow_time{10'000};
constexpr Millis follow_step{15};

std::string status_in(const nlohmann::json& result)
{
    return result.is_object() ? result.value("status", "") : std::string();
}

std::string code_in(const nlohmann::json& result)
{
    return result.is_object() && result.contains("problem") ? problem_code(result["problem"])
                                                            : std::string();
}

}  // namespace

Follower::Follower(Trial& trial) : trial_(trial), home_(trial.home_channel())
{
    const auto until = within_patience(in(follow_time));
    for (;;) {
        // With the join, which may not have been appended yet.
        const auto latest = trial_.origin().with([&] { return home_.latest(); });
        const auto result =
            latest < 2 ? nlohmann::json() : trial_.send_slice(0, latest, {}, {}, "control");
        if (status_in(result) == "ok" && result.value("have", std::uint64_t{0}) == latest) {
            have_ = latest;
            return;
        }
        if (Clock::now() >= until)
            throw CouldNotRun("the target doesn't take the log of a channel that it has joined: " +
                              result.dump());
        std::this_thread::sleep_for(follow_step);
    }
}

HomeChannel Follower::copy()
{
    return trial_.origin().with([&] { return home_; });
}

std::string Follower::say()
{
    auto text = trial_.new_text();
    trial_.origin().with([&] { return home_.say(text, trial_.now()); });
    return text;
}

Event Follower::append_sealed(HomeChannel& log, Origin& author, const Event& event,
                              const SigningKey* key)
{
    const std::vector<std::string> ids = {event.id()};
    const auto leaf = seal_leaf(log.id(), ids);
    const auto root =
        signed_root(author.name(), key != nullptr ? *key : author.key(), {leaf}, trial_.now());
    const nlohmann::json seal = {{"events", ids}, {"proof", proof_of({leaf}, 0)}};
    trial_.origin().with([&] { return log.append(event, trial_.now(), seal, root); });
    return event;
}

void Follower::add_member(Origin& author)
{
    append_sealed(
        home_, author,
        make_event({{"type", "member.join"}, {"channel", id()}, {"sender", author.user()}},
                   salted({}), trial_.now()));
    trial_.origin().with([&] { home_.add_member(author.user(), "member"); });
    catch_up();
}

nlohmann::json Follower::send(const HomeChannel& log, std::uint64_t after, std::uint64_t last,
                              const Change& change, const ChangeBody& change_body)
{
    auto slice = trial_.origin().with([&] { return log.slice(after, last); });
    if (change) change(slice);
    return send_by(trial_.origin(), trial_.origin().key(), log, slice, change_body);
}

nlohmann::json Follower::send_by(Origin& sender, const SigningKey& key, const HomeChannel& log,
                                 const HomeChannel::Slice& slice, const ChangeBody& change_body)
{
    auto body = log.transaction(slice, key, trial_.now());
    if (change_body) change_body(body);
    const auto response = trial_.transact(sender, std::move(body), {}, "slice");
    trial_.expect_ok(response);
    const nlohmann::json::json_pointer place("/logs/0");
    return response.json.contains(place) ? response.json[place] : nlohmann::json();
}

void Follower::catch_up()
{
    const auto latest = trial_.origin().with([&] { return home_.latest(); });
    expect_taken(send(home_, have_, latest), home_, latest);
    have_ = latest;
}

void Follower::expect_status(const nlohmann::json& result, const std::string& status,
                             const std::string& assertion)
{
    trial_.expect(status_in(result) == status, assertion,
                  "the slice's result is " + result.dump() + ", and should be " + status);
}

void Follower::expect_refused(const nlohmann::json& result, const std::vector<std::string>& codes)
{
    expect_status(result, "refused", "refused");
    const auto code = code_in(result);
    std::string wanted;
    for (const auto& one : codes) wanted += (wanted.empty() ? "" : " or ") + one;
    trial_.expect(codes.empty() || std::find(codes.begin(), codes.end(), code) != codes.end(),
                  "refused",
                  "the slice is refused as " + (code.empty() ? "nothing" : code) +
                      ", and should be as " + wanted);
}

void Follower::expect_taken(const nlohmann::json& result, const HomeChannel& log, std::uint64_t seq)
{
    expect_status(result, "ok", "taken");
    const auto hash = trial_.origin().with([&] { return log.hash_at(seq); });
    trial_.expect(result.value("have", std::uint64_t{0}) == seq &&
                      result.value("hash", "") == hash && result.value("channel", "") == log.id() &&
                      result.value("epoch", std::uint64_t{0}) == 1,
                  "result",
                  "the slice's result is " + result.dump() + ", not of entry " +
                      std::to_string(seq) + " with the hash " + hash + " [LOG-2]");
}

std::size_t Follower::times_read(const std::string& text)
{
    const auto all = trial_.accounts().messages(Who::first, id());
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const Message& one) { return one.text == text; }));
}

void Follower::expect_unread(const std::string& text)
{
    trial_.expect(times_read(text) == 0, "no-effect",
                  "the target's account can read a message of the slice that must not be taken");
}

void Follower::expect_read(const std::string& text)
{
    const auto until = within_patience(in(Millis(5'000)));
    std::size_t times = 0;
    while ((times = times_read(text)) == 0 && Clock::now() < until)
        std::this_thread::sleep_for(follow_step);
    trial_.expect(times == 1, "once",
                  "the target's account reads a message that the log has once " +
                      std::to_string(times) + " times");
}

void Follower::expect_goes_on()
{
    const auto text = say();
    try {
        catch_up();
        expect_read(text);
    } catch (const Broken& broken) {
        throw Broken("still-serves", std::string("afterwards ") + broken.what());
    }
}

void sign_as_changed(HomeChannel::Slice& slice)
{
    auto& body = slice.body;
    const auto channel = body.at("channel").get<std::string>();
    const auto epoch = body.at("epoch").get<std::uint64_t>();
    auto seq = body.at("after").at("seq").get<std::uint64_t>();
    auto hash = body.at("after").at("hash").get<std::string>();
    for (const auto& entry : body.at("entries")) {
        hash = entry_hash(channel, epoch, seq + 1, entry.at("at").get<std::int64_t>(), hash,
                          event_id(entry.at("event").get<std::string>()));
        ++seq;
    }
    body["checkpoint"] = {{"epoch", epoch}, {"seq", seq}, {"hash", hash}};
    slice.leaf = checkpoint_leaf(channel, epoch, seq, hash);
}

}  // namespace entente::conformance
