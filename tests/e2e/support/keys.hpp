// What tests do to a real server's keys: with ententctl, as an operator does.
#pragma once

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/e2e/support/client.hpp"

namespace entente::e2e {

[[nodiscard]] inline nlohmann::json document_of(const Node& node)
{
    return nlohmann::json::parse(node.get("/.well-known/entente").body);
}
[[nodiscard]] inline std::string published_key(const Node& node)
{
    return document_of(node).at("keys").at(0).at("kid");
}
[[nodiscard]] inline nlohmann::json shown_keys(const Node& node)
{
    const auto shown = node.control({"identity", "show", "--json"});
    if (shown.exit_code != 0) throw Broken("identity show: " + shown.output);
    return nlohmann::json::parse(shown.output);
}
[[nodiscard]] inline std::string stored_key(const Node& node)
{
    return shown_keys(node).at("keys").at(0).at("kid");
}
// SIGHUP, and until the key that is stored is the one that is in use.
inline void reload_keys(Node& node)
{
    node.signal(SIGHUP);
    const auto statements = shown_keys(node).at("statements").size();
    wait_until("the keys are reloaded", [&] {
        return published_key(node) == stored_key(node) &&
               document_of(node).at("statements").size() == statements;
    });
}
// Throws Broken where it fails.
inline void must_control(const Node& node, const std::vector<std::string>& arguments)
{
    const auto done = node.control(arguments);
    if (done.exit_code != 0) throw Broken("ententctl: " + done.output);
}
[[nodiscard]] inline bool reads(Client& reader, const std::string& channel, const std::string& text)
{
    const auto texts = reader.texts(channel);
    return std::ranges::find(texts, text) != texts.end();
}
// Each reads what the other writes from now on; `other` isn't of the channel's home. Where a
// server has to look for two new keys from one address within a minute, it puts off the second
// for the rest of it [KEY-5]: hence the time.
inline void expect_both_ways(Client& one, Client& other, const std::string& channel)
{
    const auto text = "from " + one.user() + " " + new_uuid();
    const auto answer = "from " + other.user() + " " + new_uuid();
    other.post(channel, answer);
    one.post(channel, text);
    wait_until(
        "both have read what the other wrote",
        [&] { return reads(one, channel, answer) && reads(other, channel, text); },
        Milliseconds(75'000));
}
[[nodiscard]] inline std::string secrets_of(const Node& node)
{
    return node.folder() + "/secrets";
}
[[nodiscard]] inline std::string identity_file(const Node& node)
{
    return node.folder() + "/data/keys/identity.json";
}

}  // namespace entente::e2e
