#pragma once

// What the cases about events share: events with one thing wrong or unusual, bodies likewise, and
// how several of them are sent one by one. The judging itself is Trial's.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/judge/case.hpp"
#include "conformance/judge/trial.hpp"

namespace entente::conformance {

// The parts of the group, in the order of their ids.
[[nodiscard]] std::vector<Case> event_seal_cases();
[[nodiscard]] std::vector<Case> event_proof_cases();
[[nodiscard]] std::vector<Case> event_repeat_cases();
[[nodiscard]] std::vector<Case> event_member_cases();
[[nodiscard]] std::vector<Case> event_json_cases();
[[nodiscard]] std::vector<Case> event_item_cases();
[[nodiscard]] std::vector<Case> event_way_cases();
[[nodiscard]] std::vector<Case> event_people_cases();

using Run = std::function<void(Trial&)>;
using Codes = std::vector<std::string>;

// A message of the trial's user, with one thing about it that `what` names for the verdict.
struct OddEvent {
    std::string what;
    std::function<Event(Trial& trial, const std::string& text)> make;
};

// The event's members, its octets, or its content's octets, changed in a message that is right.
[[nodiscard]] OddEvent with_members(const std::string& what,
                                    std::function<void(nlohmann::json&)> change);
[[nodiscard]] OddEvent with_octets(const std::string& what,
                                   std::function<void(std::string&)> change);
// Before it is hashed: the event fits it.
[[nodiscard]] OddEvent with_content(const std::string& what,
                                    std::function<void(std::string&)> change);

// Writes the member `written`, as `"x":1`, into the text of an object, as its first.
[[nodiscard]] std::function<void(std::string&)> inserting(const std::string& written);
// The event, and in another one the content, each with such a member more.
[[nodiscard]] std::vector<OddEvent> in_both(const std::vector<std::string>& written);

// Each in a transaction of its own is answered 200, `rejected` with one of `codes`, and has no
// effect.
[[nodiscard]] Run refuses_each(std::vector<OddEvent> odd, Codes codes);
// Each is accepted and can be read once.
[[nodiscard]] Run accepts_each(std::vector<OddEvent> odd);

// A transaction of a message, with one thing about the body that `what` names.
struct OddBody {
    std::string what;
    Defect defect;
};
// Each is refused as a whole, as `allowed` says, and has no effect.
[[nodiscard]] Run refuses_bodies(std::vector<OddBody> odd, std::vector<Refusal> allowed);

// The text at `name`; empty where there is none.
[[nodiscard]] std::string text_in(const nlohmann::json& object, const char* name);

// The result of an event of a submission, or of the `place`-th of another part. Throws
// Broken("result") where the answer has none there.
[[nodiscard]] nlohmann::json result_of(const Response& response, std::size_t place = 0,
                                       std::size_t submission = 0);
[[nodiscard]] nlohmann::json result_in(const Response& response, const std::string& part,
                                       std::size_t place);

// "refused": the result is `status`, with one of `codes` where any are given.
void expect_result(Trial& trial, const nlohmann::json& result, const std::string& what,
                   const std::string& status, const Codes& codes = {});
// "accepted": the result is `status`, with a seq, which is given back.
std::uint64_t expect_taken(Trial& trial, const nlohmann::json& result, const std::string& what,
                           const std::string& status = "accepted");

// An event of any type, of `sender` in `channel`; `target` is left out where it is empty.
[[nodiscard]] Event event_of(Trial& trial, const std::string& type, const std::string& sender,
                             const std::string& channel, nlohmann::json content,
                             const std::string& target = {});
// Sends one event of `origin` under its own seal; its result.
[[nodiscard]] nlohmann::json hand_in(Trial& trial, Origin& origin, const std::string& channel,
                                     const Event& event, const std::string& what);

// How many messages with `text` the target's first account reads in `channel`, behind a message of
// its own. For cases in which no member of another server is left to write one.
[[nodiscard]] std::size_t times_read(Trial& trial, const std::string& channel,
                                     const std::string& text);

}  // namespace entente::conformance
