#include "conformance/judge/arrival.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

namespace entente::conformance {

namespace {

// For a share in what the target does for one address.
constexpr Millis patience{300'000};

}  // namespace

Response patiently(Trial& trial, const Origin& origin, const std::function<Response()>& send)
{
    const auto until = in(patience);
    for (;;) {
        const auto before = fetches_of(origin) + origin.connections();
        auto response = send();
        const bool was_asked = fetches_of(origin) + origin.connections() > before;
        if (trial.door().has_own_address() || response.status() != 503 || was_asked)
            return response;
        const auto after = field_of(response.answer.fields, "retry-after").value_or("");
        const auto wait = Millis(1'000 * std::max(std::atoi(after.c_str()), 1));
        if (wait > left(until))
            throw CouldNotRun(
                "all of this run comes from one address, for which the target looks "
                "for no more keys: " +
                response.text());
        std::this_thread::sleep_for(wait);
    }
}

std::size_t fetches_of(const Origin& origin)
{
    return origin.count(is_discovery);
}

nlohmann::json arriving(Trial& trial, Origin& origin, const std::string& text)
{
    const auto& channel = trial.channel();
    const auto join =
        make_event({{"type", "member.join"}, {"channel", channel}, {"sender", origin.user()}},
                   salted({}), trial.now());
    return trial.submitting(origin, channel,
                            {join, trial.message_of(origin.user(), channel, text)});
}

Arrival arrive(Trial& trial, Origin& origin, const Defect& defect)
{
    Arrival arrival;
    arrival.text = trial.new_text();
    const auto body = arriving(trial, origin, arrival.text);
    const auto before = fetches_of(origin);
    const auto door = trial.world().door().from_own_address();
    Connection own(door);
    arrival.response = patiently(trial, origin, [&] {
        const auto began = Clock::now();
        auto response = trial.transact(origin, body, defect, "the arrival", &own);
        arrival.milliseconds = std::chrono::duration_cast<Millis>(Clock::now() - began).count();
        return response;
    });
    arrival.fetches = fetches_of(origin) - before;
    return arrival;
}

void expect_turned_away(Trial& trial, const Arrival& arrival, bool unseen,
                        const std::vector<Refusal>& allowed)
{
    trial.expect_refused(arrival.response, allowed);
    trial.expect_absent(arrival.text);
    // A refusal for a reason of its own, such as a bound on the runner's address, shows nothing.
    if (!unseen && arrival.fetches == 0)
        throw CouldNotRun("it was refused without a fetch of its document: " +
                          arrival.response.text());
    trial.expect_still_serves();
}

void expect_taken_in(Trial& trial, const Arrival& arrival)
{
    trial.expect_ok(arrival.response);
    const nlohmann::json::json_pointer place("/submissions/0/events");
    const auto& json = arrival.response.json;
    const auto results = json.contains(place) ? json[place] : nlohmann::json::array();
    for (const auto& result : results)
        trial.expect(result.value("status", "") == "accepted", "accepted",
                     "an event isn't accepted: " + result.dump());
    trial.expect(results.size() == 2, "accepted", "the result is of other events");
    trial.expect_once(arrival.text);
}

Origin& changed_server(Trial& trial, const DocumentChange& change)
{
    auto& other = trial.another();
    auto document = other.document();
    change(document, other);
    other.publish(std::move(document));
    return other;
}

void turns_away(Trial& trial, Origin& origin)
{
    trial.control();
    expect_turned_away(trial, arrive(trial, origin));
}

void takes_in(Trial& trial, Origin& origin)
{
    trial.control();
    expect_taken_in(trial, arrive(trial, origin));
}

std::function<void(Trial&)> turns_away_document(const DocumentChange& change)
{
    return [=](Trial& trial) { turns_away(trial, changed_server(trial, change)); };
}

std::function<void(Trial&)> takes_document(const DocumentChange& change)
{
    return [=](Trial& trial) { takes_in(trial, changed_server(trial, change)); };
}

}  // namespace entente::conformance
