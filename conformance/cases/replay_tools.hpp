#pragma once

// Requests that are kept as octets, to be sent again; and the cases of the group replay that take
// more than a few lines.

#include <string>

#include <nlohmann/json.hpp>

#include "conformance/judge/trial.hpp"

namespace entente::conformance {

struct SignedOnce {
    // The whole request.
    std::string octets;
    // Of the message that it carries.
    std::string text;
};

[[nodiscard]] std::string fresh_nonce();
// The nonce, without its quotes.
[[nodiscard]] Defect with_nonce(const std::string& nonce);

// A transaction of `origin`, not sent.
[[nodiscard]] SignedOnce sign_body(Trial& trial, Origin& origin, const nlohmann::json& body,
                                   const Defect& defect = {});
// One with a new message of the trial's user, not sent.
[[nodiscard]] SignedOnce sign_one(Trial& trial, const Defect& defect = {});
// The same, sent. Throws Broken("accepted") where it isn't served.
[[nodiscard]] SignedOnce send_once(Trial& trial, const Defect& defect = {});
// Over a connection of its own.
[[nodiscard]] Response send_again(Trial& trial, const SignedOnce& sent);

// The runs of cases.
void query_again(Trial& trial);
void until_it_expires(Trial& trial);
void clock_set_back(Trial& trial);

}  // namespace entente::conformance
