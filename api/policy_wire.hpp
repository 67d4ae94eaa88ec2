// What is asked about policies and told of decisions, in the same words over the client API and
// over the control socket.
#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "api/policy_desk.hpp"
#include "api/trust_desk.hpp"
#include "net/http_message.hpp"

namespace entente::api {

// What `rehearse` looks back at, at most and unless it is told.
inline constexpr std::int64_t max_rehearsed_s = 7 * 86'400;

struct ExplainWish {
    ExplainQuestion question;
    std::optional<trust::Verdicted> verdict;  // of another server's
};
// ?subject=, ?action=, ?resource=. `malformed`.
[[nodiscard]] Result<ExplainWish> explain_wish_in(const net::Request& request,
                                                  const TrustDesk& trust,
                                                  const protocol::ServerName& self,
                                                  protocol::NameRules names);
[[nodiscard]] nlohmann::json explained_json(const ExplainWish& wish,
                                            const std::vector<Explained>& decisions);
[[nodiscard]] nlohmann::json rehearsal_json(const trust::policy::Rehearsal& rehearsal);

}  // namespace entente::api
