#pragma once

// What the target has signed and sent, computed anew by nothing of the target's: requests, roots,
// seals, checkpoints, snapshots, whole slices. Each check gives a sentence that says what isn't
// proven; an empty one says that all is.

#include <cstdint>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/wire/message.hpp"

namespace entente::conformance {

// The public key `kid` of `server`, 32 octets; empty where nobody knows it.
using KeyOf = std::function<std::string(const std::string& server, const std::string& kid)>;

// [SIG-1] to [SIG-6], [SIG-9]: a request by `sender` to `destination` that came at `now`, in s of
// the sender's clock, give or take two.
[[nodiscard]] std::string flaw_of_request(const Request& request, const std::string& sender,
                                          const std::string& destination, std::int64_t now,
                                          const KeyOf& keys);

// The value of a parameter of `Signature-Input`, without its quotes; empty where it isn't there.
[[nodiscard]] std::string signature_parameter(const Request& request, const std::string& name);

// That the proof in `holder` leads from `leaf` to a root of `server`.
[[nodiscard]] std::string flaw_of_proof(const nlohmann::json& roots, const nlohmann::json& holder,
                                        const std::string& leaf, const std::string& server,
                                        const KeyOf& keys);

// [EVT-1]: a seal of `server` over events of `channel`.
[[nodiscard]] std::string flaw_of_seal(const nlohmann::json& roots, const std::string& channel,
                                       const nlohmann::json& seal, const std::string& server,
                                       const KeyOf& keys);

// [INBOX-3]: the seal lists just the submission's events, which are of users of `server`.
[[nodiscard]] std::string flaw_of_submission(const nlohmann::json& roots,
                                             const nlohmann::json& submission,
                                             const std::string& server, const KeyOf& keys);

// [LOG-1], [LOG-12], [LOG-13]: a slice of a channel that `home` orders.
[[nodiscard]] std::string flaw_of_slice(const nlohmann::json& roots, const nlohmann::json& slice,
                                        const std::string& home, const KeyOf& keys);

[[nodiscard]] std::string flaw_of_snapshot(const nlohmann::json& roots,
                                           const nlohmann::json& snapshot, const std::string& home,
                                           const KeyOf& keys);

// A whole transaction of `sender`: its submissions, its slices, and no root unused or missing.
[[nodiscard]] std::string flaw_of_transaction(const nlohmann::json& body, const std::string& sender,
                                              const KeyOf& keys);

}  // namespace entente::conformance
