#include "daemon/config_schema.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "daemon/config_trust.hpp"
#include "daemon/log.hpp"
#include "daemon/suggestion.hpp"
#include "protocol/clock.hpp"
#include "protocol/server_document.hpp"

namespace entente::daemon {

namespace {

constexpr std::size_t max_text_octets = 4'096;
constexpr std::size_t max_socket_name_octets = 255;
constexpr std::int64_t million = 1'000'000;

void complain(Complaints& complaints, const ConfigValue& value, std::string text)
{
    complaints.push_back({value.line, std::move(text)});
}

// Nothing where it isn't a text of reasonable size and without control characters.
const std::string* text_of(const ConfigValue& value, Complaints& complaints)
{
    const auto* text = value.as_text();
    if (text == nullptr) {
        complain(complaints, value, "is " + kind_of(value) + "; write a text in quotes");
        return nullptr;
    }
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (std::any_of(text->begin(), text->end(), is_control)) {
        complain(complaints, value, "has a control character in it; remove it");
        return nullptr;
    }
    if (text->size() > max_text_octets) {
        complain(complaints, value, "is longer than 4096 octets; shorten it");
        return nullptr;
    }
    return text;
}

template <class Target>
using Set = std::function<void(Target&, const ConfigValue&, Complaints&)>;

template <class Target>
Set<Target> text(std::string& (*at)(Target&))
{
    return [at](Target& target, const ConfigValue& value, Complaints& complaints) {
        if (const auto* found = text_of(value, complaints)) at(target) = *found;
    };
}

Set<Config> boolean(bool& (*at)(Config&))
{
    return [at](Config& config, const ConfigValue& value, Complaints& complaints) {
        if (const auto* found = value.as_boolean()) {
            at(config) = *found;
        } else {
            complain(complaints, value, "is " + kind_of(value) + "; write true or false");
        }
    };
}

template <class T>
using Choices = std::vector<std::pair<std::string_view, T>>;

template <class T>
std::optional<T> choose(const Choices<T>& choices, const ConfigValue& value, Complaints& complaints)
{
    const auto* found = text_of(value, complaints);
    if (found == nullptr) return std::nullopt;
    std::string list;
    for (const auto& [name, meaning] : choices) {
        if (name == *found) return meaning;
        list += (list.empty() ? "" : ", ") + std::string(name);
    }
    complain(complaints, value, "is \"" + *found + "\"; write one of " + list);
    return std::nullopt;
}

template <class T>
Set<Config> choice(T& (*at)(Config&), Choices<T> choices)
{
    return [at, choices = std::move(choices)](Config& config, const ConfigValue& value,
                                              Complaints& complaints) {
        if (auto found = choose(choices, value, complaints)) at(config) = *found;
    };
}

// The elements that are texts; each other one is complained of.
std::vector<std::pair<const ConfigValue*, std::string>> texts_of(const ConfigValue& value,
                                                                 Complaints& complaints)
{
    std::vector<std::pair<const ConfigValue*, std::string>> texts;
    const auto* list = value.as_list();
    if (list == nullptr) {
        complain(complaints, value, "is " + kind_of(value) + "; write a list, as [\"…\", \"…\"]");
        return texts;
    }
    for (const auto& element : *list) {
        if (const auto* found = text_of(element, complaints)) texts.emplace_back(&element, *found);
    }
    return texts;
}

template <class Target>
Set<Target> networks(std::vector<net::Network>& (*at)(Target&))
{
    return [at](Target& target, const ConfigValue& value, Complaints& complaints) {
        at(target).clear();
        for (const auto& [element, written] : texts_of(value, complaints)) {
            if (auto network = net::parse_network(written)) {
                at(target).push_back(*network);
            } else {
                complain(
                    complaints, *element,
                    "has \"" + written + "\"; write a network as \"10.0.0.0/8\" or \"::1/128\"");
            }
        }
    };
}

// Gives each entry of a table of texts to `take`.
Set<Config> table(
    std::function<void(Config&, const std::string&, const ConfigValue&, Complaints&)> take,
    void (*clear)(Config&))
{
    return [take = std::move(take), clear](Config& config, const ConfigValue& value,
                                           Complaints& complaints) {
        clear(config);
        const auto* entries = value.as_table();
        if (entries == nullptr) {
            complain(complaints, value,
                     "is " + kind_of(value) + "; write a table, as { name = \"…\" }");
            return;
        }
        for (const auto& [name, entry] : *entries) take(config, name, entry, complaints);
    };
}

const Choices<protocol::LogLevel>& levels()
{
    static const Choices<protocol::LogLevel> all{{"debug", protocol::LogLevel::debug},
                                                 {"info", protocol::LogLevel::info},
                                                 {"warning", protocol::LogLevel::warning},
                                                 {"error", protocol::LogLevel::error}};
    return all;
}

const Choices<std::string>& modes()
{
    static const Choices<std::string> all{{"open", "open"},
                                          {"reviewed", "reviewed"},
                                          {"allowlist", "allowlist"},
                                          {"closed", "closed"}};
    return all;
}

const Choices<std::string>& tiers()
{
    static const Choices<std::string> all{{"blocked", "blocked"},
                                          {"quarantined", "quarantined"},
                                          {"guest", "guest"},
                                          {"known", "known"},
                                          {"trusted", "trusted"}};
    return all;
}

void take_resolve(Config& config, const std::string& name, const ConfigValue& value,
                  Complaints& complaints)
{
    const auto* written = text_of(value, complaints);
    if (written == nullptr) return;
    if (auto address = parse_socket_address(*written)) {
        config.federation.resolve[name] = *address;
    } else {
        complain(complaints, value,
                 "has \"" + *written + "\" for " + name +
                     "; write an IP address and a port, as \"127.0.0.1:8449\"");
    }
}

void take_peer(Config& config, const std::string& name, const ConfigValue& value,
               Complaints& complaints)
{
    if (auto tier = choose(tiers(), value, complaints)) config.trust.peers[name] = *tier;
}

void take_component(Config& config, const std::string& name, const ConfigValue& value,
                    Complaints& complaints)
{
    const std::set<std::string> parts(log_components.begin(), log_components.end());
    if (!parts.contains(name)) {
        std::string list;
        for (const auto& part : parts) list += (list.empty() ? "" : ", ") + part;
        complain(
            complaints, value,
            "has " + name + ", which writes no log" + suggest(name, parts, "write one of " + list));
        return;
    }
    if (auto level = choose(levels(), value, complaints)) config.log.components[name] = *level;
}

void set_contact(Config& config, const ConfigValue& value, Complaints& complaints)
{
    const auto* written = text_of(value, complaints);
    if (written == nullptr) return;
    if (!written->empty() && !written->starts_with("mailto:") &&
        !written->starts_with("https://")) {
        complain(complaints, value, "is \"" + *written + "\"; write a mailto: or https: address");
        return;
    }
    config.server.contact = *written;
}

void set_api(Config& config, const ConfigValue& value, Complaints& complaints)
{
    const auto* written = text_of(value, complaints);
    if (written == nullptr) return;
    if (!protocol::parse_https_origin(*written)) {
        complain(complaints, value,
                 "is \"" + *written +
                     "\"; write an https origin without a path, as "
                     "\"https://chat.a.example\"");
        return;
    }
    config.federation.api = *written;
}

void set_url(Config& config, const ConfigValue& value, Complaints& complaints)
{
    const auto* written = text_of(value, complaints);
    if (written == nullptr) return;
    if (!written->starts_with("sqlite:") || *written == "sqlite:") {
        complain(complaints, value,
                 "is \"" + *written + "\"; write \"sqlite:\" and the path of a file");
        return;
    }
    config.storage.url = *written;
}

void set_address(ListenerConfig& listener, const ConfigValue& value, Complaints& complaints)
{
    const auto* written = text_of(value, complaints);
    if (written == nullptr) return;
    if (auto address = parse_socket_address(*written)) {
        listener.address = *address;
    } else {
        complain(complaints, value,
                 "is \"" + *written +
                     "\"; write an IP address and a port, as \"0.0.0.0:8448\" or \"[::]:8448\"");
    }
}

// As systemd allows it for FileDescriptorName=.
void set_socket(ListenerConfig& listener, const ConfigValue& value, Complaints& complaints)
{
    const auto* written = text_of(value, complaints);
    if (written == nullptr) return;
    const bool is_fit = !written->empty() && written->size() <= max_socket_name_octets &&
                        std::all_of(written->begin(), written->end(),
                                    [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
    if (is_fit) {
        listener.socket = *written;
    } else {
        complain(complaints, value,
                 "is \"" + *written +
                     "\"; write what FileDescriptorName= has in the socket's unit, as \"https\"");
    }
}

void set_serves(ListenerConfig& listener, const ConfigValue& value, Complaints& complaints)
{
    listener.federation = listener.client = listener.metrics = false;
    bool any = false;
    const auto before = complaints.size();
    for (const auto& [element, name] : texts_of(value, complaints)) {
        any = true;
        if (name == "federation") {
            listener.federation = true;
        } else if (name == "client") {
            listener.client = true;
        } else if (name == "metrics") {
            listener.metrics = true;
        } else {
            complain(complaints, *element,
                     "has \"" + name + "\"; write any of federation, client, metrics");
        }
    }
    if (!any && complaints.size() == before) {
        complain(complaints, value, "is empty; write any of federation, client, metrics");
    }
}

void add_server_and_federation(std::vector<KeyRule<Config>>& rules)
{
    rules.push_back({"server", "name", "", KeyKind::text,
                     [](Config& c, const ConfigValue& value, Complaints& complaints) {
                         if (const auto* name = text_of(value, complaints)) {
                             c.server.name = protocol::ServerName::trusted(*name);
                         }
                     }});
    rules.push_back({"server", "data", "/var/lib/ententd", KeyKind::text,
                     text<Config>([](Config& c) -> std::string& { return c.server.data; })});
    rules.push_back({"server", "keys", "<data>/keys", KeyKind::text,
                     text<Config>([](Config& c) -> std::string& { return c.server.keys; })});
    rules.push_back({"server", "runtime", "/run/ententd", KeyKind::text,
                     text<Config>([](Config& c) -> std::string& { return c.server.runtime; })});
    rules.push_back({"server", "contact", "", KeyKind::text, set_contact});
    rules.push_back({"server", "control", "<data>/control.sock", KeyKind::text,
                     text<Config>([](Config& c) -> std::string& { return c.server.control; })});

    rules.push_back({"federation", "enabled", "true", KeyKind::boolean,
                     boolean([](Config& c) -> bool& { return c.federation.enabled; })});
    rules.push_back({"federation", "api", "https://<name>", KeyKind::text, set_api});
    rules.push_back({"federation", "allow_networks", "[]", KeyKind::list,
                     networks<Config>([](Config& c) -> std::vector<net::Network>& {
                         return c.federation.allow_networks;
                     })});
    rules.push_back({"federation", "resolve", "{}", KeyKind::table,
                     table(take_resolve, [](Config& c) { c.federation.resolve.clear(); })});
    rules.push_back({"federation", "ca_file", "", KeyKind::text,
                     text<Config>([](Config& c) -> std::string& { return c.federation.ca_file; })});
    rules.push_back({"federation", "allow_test_names", "false", KeyKind::boolean,
                     boolean([](Config& c) -> bool& { return c.federation.allow_test_names; })});

    const auto wait = [&rules](std::string_view key, std::string_view fallback,
                               std::int64_t& (*at)(Config&)) {
        rules.push_back(
            {"federation", key, fallback, KeyKind::integer, integer(at, 10, protocol::day_ms)});
    };
    wait("retry_first_ms", "1000",
         [](Config& c) -> std::int64_t& { return c.federation.retry_first_ms; });
    wait("retry_max_ms", "3600000",
         [](Config& c) -> std::int64_t& { return c.federation.retry_max_ms; });
    wait("discovery_retry_first_ms", "10000",
         [](Config& c) -> std::int64_t& { return c.federation.discovery_retry_first_ms; });
    wait("discovery_retry_max_ms", "3600000",
         [](Config& c) -> std::int64_t& { return c.federation.discovery_retry_max_ms; });
}

void add_limits(std::vector<KeyRule<Config>>& rules)
{
    const auto limit = [&rules](std::string_view key, std::string_view fallback,
                                std::int64_t& (*at)(Config&), std::int64_t low, std::int64_t high) {
        rules.push_back({"limits", key, fallback, KeyKind::integer, integer(at, low, high)});
    };
    limit(
        "connections", "20000", [](Config& c) -> std::int64_t& { return c.limits.connections; }, 1,
        million);
    limit(
        "connections_per_source", "1000",
        [](Config& c) -> std::int64_t& { return c.limits.connections_per_source; }, 1, million);
    limit(
        "requests_per_source", "6000",
        [](Config& c) -> std::int64_t& { return c.limits.requests_per_source; }, 1, 100 * million);
    limit(
        "requests_per_user", "20000",
        [](Config& c) -> std::int64_t& { return c.limits.requests_per_user; }, 1, million);
    // Below a quarter MiB one full event, escaped, with its proofs might never fit.
    limit(
        "transaction_bytes", "4194304",
        [](Config& c) -> std::int64_t& { return c.limits.transaction_bytes; }, 262'144, 67'108'864);
    limit(
        "transaction_items", "1000",
        [](Config& c) -> std::int64_t& { return c.limits.transaction_items; }, 1, 100'000);
    limit(
        "unsent_per_user_and_peer", "1000",
        [](Config& c) -> std::int64_t& { return c.limits.unsent_per_user_and_peer; }, 1, million);
    limit(
        "media_bytes", "10485760", [](Config& c) -> std::int64_t& { return c.limits.media_bytes; },
        0, 16'777'216);
    limit(
        "media_bytes_per_user_and_day", "104857600",
        [](Config& c) -> std::int64_t& { return c.limits.media_bytes_per_user_and_day; }, 0,
        1'000'000'000'000);
}

std::vector<KeyRule<Config>> make_config_rules()
{
    std::vector<KeyRule<Config>> rules;
    add_server_and_federation(rules);
    rules.push_back(
        {"trust", "mode", "open", KeyKind::text,
         choice<std::string>([](Config& c) -> std::string& { return c.trust.mode; }, modes())});
    rules.push_back({"trust", "peers", "{}", KeyKind::table,
                     table(take_peer, [](Config& c) { c.trust.peers.clear(); })});
    add_trust_figures(rules);
    rules.push_back({"storage", "url", "sqlite:<data>/entente.sqlite", KeyKind::text, set_url});
    rules.push_back({"storage", "readers", "2", KeyKind::integer,
                     integer([](Config& c) -> std::int64_t& { return c.storage.readers; }, 1, 64)});
    rules.push_back(
        {"registration", "mode", "closed", KeyKind::text,
         choice<RegistrationMode>([](Config& c) -> RegistrationMode& { return c.registration; },
                                  {{"open", RegistrationMode::open},
                                   {"invite", RegistrationMode::invite},
                                   {"closed", RegistrationMode::closed}})});
    add_limits(rules);
    rules.push_back({"log", "format", "text", KeyKind::text,
                     choice<LogFormat>([](Config& c) -> LogFormat& { return c.log.format; },
                                       {{"text", LogFormat::text}, {"json", LogFormat::json}})});
    rules.push_back({"log", "level", "info", KeyKind::text,
                     choice<protocol::LogLevel>(
                         [](Config& c) -> protocol::LogLevel& { return c.log.level; }, levels())});
    rules.push_back({"log", "components", "{}", KeyKind::table,
                     table(take_component, [](Config& c) { c.log.components.clear(); })});
    return rules;
}

}  // namespace

std::function<void(Config&, const ConfigValue&, Complaints&)> integer(std::int64_t& (*at)(Config&),
                                                                      std::int64_t low,
                                                                      std::int64_t high)
{
    return [at, low, high](Config& config, const ConfigValue& value, Complaints& complaints) {
        const auto range = std::to_string(low) + " to " + std::to_string(high);
        const auto* found = value.as_integer();
        if (found == nullptr) {
            complain(complaints, value,
                     "is " + kind_of(value) + "; write an integer from " + range);
        } else if (*found < low || *found > high) {
            complain(complaints, value,
                     "is " + std::to_string(*found) + "; write an integer from " + range);
        } else {
            at(config) = *found;
        }
    };
}

std::string kind_of(const ConfigValue& value)
{
    switch (value.kind) {
        case ConfigValue::Kind::boolean: return "a boolean";
        case ConfigValue::Kind::integer: return "an integer";
        case ConfigValue::Kind::text: return "a text";
        case ConfigValue::Kind::list: return "a list";
        case ConfigValue::Kind::table: return "a table";
        case ConfigValue::Kind::unused: return value.text;
    }
    return {};
}

const std::vector<KeyRule<Config>>& config_rules()
{
    static const auto rules = make_config_rules();
    return rules;
}

const std::vector<KeyRule<ListenerConfig>>& listener_rules()
{
    static const std::vector<KeyRule<ListenerConfig>> rules{
        {"listener", "address", "", KeyKind::text, set_address},
        {"listener", "socket", "", KeyKind::text, set_socket},
        {"listener", "certificate", "", KeyKind::text,
         text<ListenerConfig>([](ListenerConfig& l) -> std::string& { return l.certificate; })},
        {"listener", "key", "", KeyKind::text,
         text<ListenerConfig>([](ListenerConfig& l) -> std::string& { return l.key; })},
        {"listener", "serves", "[\"federation\", \"client\"]", KeyKind::list, set_serves},
        {"listener", "trusted_proxies", "[]", KeyKind::list,
         networks<ListenerConfig>(
             [](ListenerConfig& l) -> std::vector<net::Network>& { return l.trusted_proxies; })},
    };
    return rules;
}

}  // namespace entente::daemon
