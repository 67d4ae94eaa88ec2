#pragma once

// A server that the target has never met comes to it: in one transaction its user joins the trial's
// channel and says something there. The target can only judge it by fetching its document, so this
// is how cases find out what a target makes of documents, and of the keys in them.

#include <functional>
#include <string>
#include <vector>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

struct Arrival {
    // What its user says.
    std::string text;
    Response response;
    // ms from the request to its answer.
    std::int64_t milliseconds = 0;
    // Fetches of its document since the arrival began.
    std::size_t fetches = 0;
};

[[nodiscard]] nlohmann::json arriving(Trial& trial, Origin& origin, const std::string& text);

// Sends it over a connection from an address of its own, so that no other case has used up what
// the target does for one address; where it has, and there is but one, tries again when it may.
[[nodiscard]] Arrival arrive(Trial& trial, Origin& origin, const Defect& defect = {});

// Where there is no usable document: "refused" as key-unavailable, which [KEY-5] has for fetches
// that fail; no effect; the target still serves the trial's own origin. Throws CouldNotRun where
// the target hasn't asked `origin` for anything, unless `unseen`: then nothing was judged.
void expect_turned_away(Trial& trial, const Arrival& arrival, bool unseen = false,
                        const std::vector<Refusal>& allowed = {{503, "key-unavailable"}});
// "accepted" and "once".
void expect_taken_in(Trial& trial, const Arrival& arrival);

using DocumentChange = std::function<void(nlohmann::json& document, const Origin& origin)>;
// One more server, whose document is right but for the change.
[[nodiscard]] Origin& changed_server(Trial& trial, const DocumentChange& change);

// The control, an arrival and one of the two.
void turns_away(Trial& trial, Origin& origin);
void takes_in(Trial& trial, Origin& origin);
// Whole cases: a server whose document is changed.
[[nodiscard]] std::function<void(Trial&)> turns_away_document(const DocumentChange& change);
[[nodiscard]] std::function<void(Trial&)> takes_document(const DocumentChange& change);

// Where all of a run comes from one address, other cases may have used up what the target does for
// it [KEY-5, KEY-8]: sends again when the target says so, as long as it answers 503 and doesn't ask
// `origin` for anything. Throws CouldNotRun after 5 minutes.
[[nodiscard]] Response patiently(Trial& trial, const Origin& origin,
                                 const std::function<Response()>& send);

[[nodiscard]] std::size_t fetches_of(const Origin& origin);

}  // namespace entente::conformance
