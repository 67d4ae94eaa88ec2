#pragma once

// The parts of the group keys, in the order of their ids, and what they share.

#include <functional>
#include <string>
#include <vector>

#include "conformance/cases/groups.hpp"
#include "conformance/judge/arrival.hpp"
#include "conformance/wire/statements.hpp"

namespace entente::conformance {

// What the trial's origin says in its channel, over a connection from an address of its own: a key
// that the target doesn't know makes it look again [KEY-5].
struct Said {
    std::string text;
    Response response;
};
[[nodiscard]] Said say(Trial& trial, const Defect& defect = {});
// What `say` sends it over, once: nothing is waited for.
[[nodiscard]] Said say_once(Trial& trial, const Defect& defect, Connection& connection);
// "accepted" and "once".
void expect_heard(Trial& trial, const Said& said);
// "refused", "no-effect", "still-serves".
void expect_unheard(Trial& trial, const Said& said, const std::vector<Refusal>& allowed);

// {"kty","crv","x","kid","from"}
[[nodiscard]] nlohmann::json document_key(const SigningKey& key, std::int64_t from);
// The origin's document once `next`, since `at`, signs in the place of the keys that stand in it.
[[nodiscard]] nlohmann::json succeeded(const nlohmann::json& document, const SigningKey& next,
                                       std::int64_t at, const std::vector<std::string>& statements);

// One more key in the origin's document, which signs once the first doesn't count any more.
[[nodiscard]] SigningKey add_spare_key(Origin& origin);
// Takes a key that `succeeded` has made an old one back among the keys.
void keep_current(nlohmann::json& document, const SigningKey& key);

// Which keys are in the place of others.
[[nodiscard]] std::vector<Case> key_rotation_cases();
// Which keys count no more.
[[nodiscard]] std::vector<Case> key_status_cases();
// Documents whose keys are none.
[[nodiscard]] std::vector<Case> key_document_cases();
// How often is asked for keys, and for what.
[[nodiscard]] std::vector<Case> key_bound_cases();

}  // namespace entente::conformance
