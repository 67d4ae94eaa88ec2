#pragma once

// Events, contents, seals and signed roots, written as a case wants them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "conformance/wire/keys.hpp"

namespace entente::conformance {

struct Event {
    // The JSON texts, as they travel.
    std::string octets;
    std::string content;

    [[nodiscard]] std::string id() const;
    // {"event","content"}
    [[nodiscard]] nlohmann::json item() const;
};

[[nodiscard]] std::string event_id(std::string_view octets);
[[nodiscard]] std::string content_hash(std::string_view octets);

// {"salt":…} and the members of `content`.
[[nodiscard]] std::string salted(nlohmann::json content);

// An event of `members`, to which `v`, `txn`, `at` and `content` are added where they are absent.
[[nodiscard]] Event make_event(nlohmann::json members, std::string content, std::int64_t at);

// RFC 6962 section 2.1: the tree hash of leaf inputs, and the audit path of the leaf `index`.
[[nodiscard]] std::string tree_hash(const std::vector<std::string>& leaves);
[[nodiscard]] std::vector<std::string> audit_path(const std::vector<std::string>& leaves,
                                                  std::size_t index);
// The root to which a leaf and its path lead; empty where the path hasn't the tree's length
// (RFC 9162 section 2.1.3.2).
[[nodiscard]] std::string root_from_path(std::string_view leaf, std::uint64_t index,
                                         std::uint64_t size, const std::vector<std::string>& path);

// {"root":list index,"index","path":[…]}
[[nodiscard]] nlohmann::json proof_of(const std::vector<std::string>& leaves, std::size_t index,
                                      std::size_t root = 0);

// The JWS of typ entente-root over the tree of `leaves`.
[[nodiscard]] std::string signed_root(std::string_view server, const SigningKey& key,
                                      const std::vector<std::string>& leaves, std::int64_t at);

// Leaf inputs.
[[nodiscard]] std::string seal_leaf(std::string_view channel, const std::vector<std::string>& ids);
[[nodiscard]] std::string checkpoint_leaf(std::string_view channel, std::uint64_t epoch,
                                          std::uint64_t seq, std::string_view hash);
[[nodiscard]] std::string snapshot_leaf(std::string_view channel, std::uint64_t epoch,
                                        std::uint64_t seq, std::string_view hash, std::int64_t at,
                                        std::string_view state);

// The hash that chains a log's entries; `before` is empty for the first.
[[nodiscard]] std::string entry_hash(std::string_view channel, std::uint64_t epoch,
                                     std::uint64_t seq, std::int64_t at, std::string_view before,
                                     std::string_view event_id);

// {"channel","events","seal"} with the seal's proof in the root `root` of the body, a tree of this
// seal alone.
[[nodiscard]] nlohmann::json submission(std::string_view channel, const std::vector<Event>& events,
                                        std::size_t root = 0);

// A whole transaction of one submission under one root.
[[nodiscard]] nlohmann::json submitting(std::string_view server, const SigningKey& key,
                                        std::string_view channel, const std::vector<Event>& events,
                                        std::int64_t at);

}  // namespace entente::conformance
