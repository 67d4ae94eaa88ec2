#include "daemon/config.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "daemon/config_changes.hpp"
#include "daemon/config_environment.hpp"
#include "daemon/config_schema.hpp"
#include "daemon/config_toml.hpp"
#include "daemon/suggestion.hpp"

namespace entente::daemon {

namespace {

constexpr int after_the_file = 1 << 30;
constexpr std::string_view credential_scheme = "credential:";

void note_line(ListenerConfig& listener, std::string_view key, int line)
{
    if (key == "address") listener.address_line = line;
    if (key == "certificate") listener.certificate_line = line;
    if (key == "key") listener.key_line = line;
}

// Fills a Config and gathers what is wrong on the way.
class Reading {
 public:
    explicit Reading(std::string file) : file_(std::move(file)) {}

    void read_file(const ConfigTable& root)
    {
        for (const auto& [name, value] : root) {
            if (name == "listener") {
                read_listeners(value);
            } else {
                read_section(name, value);
            }
        }
    }

    void read_environment(const Environment& environment);
    void finish();

    [[nodiscard]] tl::expected<Config, ConfigProblems> result() &&
    {
        if (problems_.empty()) return std::move(config_);
        ConfigProblems sorted;
        for (auto& [line, problem] : problems_) sorted.push_back(std::move(problem));
        return tl::unexpected(std::move(sorted));
    }

    void problem_at(int line, std::string text)
    {
        problems_.emplace(line, ConfigProblem{file_ + ":" + std::to_string(line), std::move(text)});
    }

 private:
    struct Place {
        int line = 1;
        std::string variable;  // empty: the file
    };

    void problem(const Place& place, std::string text)
    {
        if (place.variable.empty()) {
            problem_at(place.line, std::move(text));
        } else {
            problems_.emplace(after_the_file,
                              ConfigProblem{place.variable + " (environment)", std::move(text)});
        }
    }

    [[nodiscard]] Place place_of(const std::string& key, const std::string& section) const
    {
        if (const auto found = places_.find(key); found != places_.end()) return found->second;
        if (const auto found = places_.find(section); found != places_.end()) return found->second;
        return {};
    }

    template <class Target>
    void apply(const KeyRule<Target>& rule, Target& target, const ConfigValue& value,
               const Place& place);
    void read_section(const std::string& name, const ConfigValue& value);
    void read_listeners(const ConfigValue& value);
    void read_listener(const ConfigValue& value);

    void check_names();
    void check_listeners();
    void check_waits();
    void fill_in();
    void check_credential(const std::string& key, const Place& place, const std::string& path);
    [[nodiscard]] std::string resolved(const std::filesystem::path& folder,
                                       const std::string& path) const;

    std::string file_;
    std::string credentials_;  // the folder, "" where there is none
    Config config_;
    std::map<std::string, Place> places_;
    std::multimap<int, ConfigProblem> problems_;  // by line
};

template <class Target>
void Reading::apply(const KeyRule<Target>& rule, Target& target, const ConfigValue& value,
                    const Place& place)
{
    Complaints complaints;
    rule.set(target, value, complaints);
    for (auto& complaint : complaints) {
        auto where = place;
        if (complaint.line != 0) where.line = complaint.line;
        problem(where, std::string(rule.section) + "." + std::string(rule.key) + " " +
                           std::move(complaint.text));
    }
}

void Reading::read_section(const std::string& name, const ConfigValue& value)
{
    std::set<std::string> keys;
    std::set<std::string> sections;
    for (const auto& rule : config_rules()) {
        sections.emplace(rule.section.substr(0, rule.section.find('.')));
        if (rule.section == name) keys.emplace(rule.key);
        // "trust.budgets.guest" seen from "trust" is the table "budgets".
        if (rule.section.starts_with(name + ".")) {
            const auto rest = rule.section.substr(name.size() + 1);
            keys.emplace(rest.substr(0, rest.find('.')));
        }
    }
    sections.emplace("listener");
    if (keys.empty()) {
        problem_at(value.line,
                   "there is no section " + name + suggest(name, sections, "remove it"));
        return;
    }
    const auto* table = value.as_table();
    if (table == nullptr) {
        problem_at(value.line,
                   name + " is " + kind_of(value) + "; write [" + name + "] and its keys below");
        return;
    }
    places_[name] = {value.line, {}};
    for (const auto& [key, entry] : *table) {
        const auto full = name + "." + key;
        const auto& rules = config_rules();
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& candidate) {
            return candidate.section == name && candidate.key == key;
        });
        if (rule != rules.end()) {
            places_[full] = {entry.line, {}};
            config_.written[full] = rendered(entry);
            apply(*rule, config_, entry, {entry.line, {}});
        } else if (keys.contains(key)) {
            read_section(full, entry);
        } else {
            problem_at(entry.line, "there is no key " + full +
                                       suggest(key, keys, "remove it or see the reference"));
        }
    }
}

void Reading::read_listeners(const ConfigValue& value)
{
    const auto* list = value.as_list();
    if (list == nullptr) {
        problem_at(value.line, "listener is " + kind_of(value) + "; write [[listener]]");
        return;
    }
    places_["listener"] = {value.line, {}};
    for (const auto& element : *list) read_listener(element);
}

void Reading::read_listener(const ConfigValue& value)
{
    const auto* table = value.as_table();
    if (table == nullptr) {
        problem_at(value.line, "a listener is " + kind_of(value) + "; write [[listener]]");
        return;
    }
    ListenerConfig listener;
    listener.line = value.line;
    listener.federation = listener.client = true;
    std::set<std::string> keys;
    for (const auto& rule : listener_rules()) keys.emplace(rule.key);
    for (const auto& [key, entry] : *table) {
        const auto& rules = listener_rules();
        const auto rule = std::find_if(rules.begin(), rules.end(),
                                       [&](const auto& candidate) { return candidate.key == key; });
        if (rule == rules.end()) {
            problem_at(entry.line, "there is no key listener." + key +
                                       suggest(key, keys, "remove it or see the reference"));
            continue;
        }
        note_line(listener, key, entry.line);
        config_.written["listener[" + std::to_string(config_.listeners.size() + 1) + "]." + key] =
            rendered(entry);
        apply(*rule, listener, entry, {entry.line, {}});
    }
    if (listener.address_line == 0) {
        problem_at(value.line, "a listener has no address; add one, as address = \"0.0.0.0:8448\"");
    }
    config_.listeners.push_back(std::move(listener));
}

void Reading::read_environment(const Environment& environment)
{
    std::set<std::string> known;
    for (const auto& rule : config_rules()) known.insert(environment_name(rule.section, rule.key));
    for (const auto& [name, text] : environment) {
        if (name == credentials_variable) credentials_ = text;
        if (!name.starts_with(environment_prefix)) continue;
        if (name.find('_', environment_prefix.size()) == std::string::npos) continue;
        const auto& rules = config_rules();
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& candidate) {
            return environment_name(candidate.section, candidate.key) == name;
        });
        const Place place{0, name};
        if (rule == rules.end()) {
            problem(place, "there is no such key" + suggest(name, known, "unset it"));
            continue;
        }
        const auto key = std::string(rule->section) + "." + std::string(rule->key);
        const auto value = value_from_environment(rule->kind, text);
        places_[key] = place;
        config_.written[key] = rendered(value);
        apply(*rule, config_, value, place);
    }
}

void Reading::check_names()
{
    const auto rules = config_.name_rules();
    const auto judge = [&](const std::string& key, const std::string& section,
                           const std::string& name) {
        if (protocol::parse_server_name(name, rules)) return;
        const bool only_for_tests = protocol::parse_server_name(name, {true}).has_value();
        problem(place_of(key, section),
                key + " has \"" + name + "\"; " +
                    (only_for_tests ? "such names need federation.allow_test_names = true"
                                    : "write a lower-case DNS name, as \"a.example\""));
    };
    const auto& name = config_.server.name.str();
    if (name.empty()) {
        problem(place_of("server.name", "server"),
                "server.name is missing; add the name that this server is known by, as "
                "name = \"a.example\" under [server]");
    } else {
        judge("server.name", "server", name);
    }
    for (const auto& [peer, tier] : config_.trust.peers) judge("trust.peers", "trust", peer);
    for (const auto& [host, address] : config_.federation.resolve) {
        judge("federation.resolve", "federation", host.starts_with("*.") ? host.substr(2) : host);
    }
}

void Reading::check_listeners()
{
    if (config_.listeners.empty() && !places_.contains("listener")) {
        problem_at(1, "there is no listener; add [[listener]] with an address");
    }
    std::vector<SocketAddress> seen;
    for (const auto& listener : config_.listeners) {
        if (listener.certificate.empty() != listener.key.empty()) {
            const bool missing_key = listener.key.empty();
            problem_at(missing_key ? listener.certificate_line : listener.key_line,
                       std::string("a listener has ") + (missing_key ? "a certificate" : "a key") +
                           " but no " +
                           (missing_key ? "key; add key" : "certificate; add certificate") +
                           " = \"<PEM file>\"");
        }
        if (listener.address.port != 0 &&
            std::find(seen.begin(), seen.end(), listener.address) != seen.end()) {
            problem_at(listener.address_line,
                       "two listeners have the same address; change one of them");
        }
        seen.push_back(listener.address);
    }
}

void Reading::check_waits()
{
    const auto& federation = config_.federation;
    const auto judge = [&](const std::string& first, const std::string& max, bool fine) {
        if (!fine) {
            problem(place_of(max, max.substr(0, max.rfind('.'))),
                    max + " is less than " + first + "; raise it or lower the other");
        }
    };
    judge("federation.retry_first_ms", "federation.retry_max_ms",
          federation.retry_first_ms <= federation.retry_max_ms);
    judge("federation.discovery_retry_first_ms", "federation.discovery_retry_max_ms",
          federation.discovery_retry_first_ms <= federation.discovery_retry_max_ms);
    const auto& conduct = config_.trust.conduct;
    judge("trust.falls.first_hours", "trust.falls.longest_hours",
          conduct.first_fall_hours <= conduct.longest_fall_hours);
    if (config_.server.data.empty()) {
        problem(place_of("server.data", "server"), "server.data is empty; name a folder");
    }
}

void Reading::check_credential(const std::string& key, const Place& place, const std::string& path)
{
    if (!path.starts_with(credential_scheme)) return;
    const auto name = path.substr(credential_scheme.size());
    const bool is_fit = !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
                        name.find('/') == std::string::npos;
    if (is_fit) return;
    problem(place, key + " has \"" + path +
                       "\"; write the name that LoadCredential= has in the service's unit, as "
                       "\"credential:tls.key\"");
}

std::string Reading::resolved(const std::filesystem::path& folder, const std::string& path) const
{
    if (path.empty()) return path;
    if (!path.starts_with(credential_scheme)) return (folder / path).lexically_normal().string();
    if (credentials_.empty()) return path;
    return credentials_ + "/" + path.substr(credential_scheme.size());
}

// Relative paths start at the configuration file's folder, wherever the daemon runs.
void Reading::fill_in()
{
    // Absolute, since a default made of another path is resolved a second time.
    std::error_code failed;
    const auto folder = std::filesystem::absolute(file_, failed).parent_path();
    const auto absolute = [&](std::string& path) { path = resolved(folder, path); };
    absolute(config_.server.data);
    if (config_.server.keys.empty()) config_.server.keys = config_.server.data + "/keys";
    absolute(config_.server.keys);
    if (config_.server.control.empty())
        config_.server.control = config_.server.data + "/control.sock";
    absolute(config_.server.control);
    absolute(config_.server.runtime);
    absolute(config_.federation.ca_file);
    for (auto& listener : config_.listeners) {
        absolute(listener.certificate);
        absolute(listener.key);
    }
    if (config_.storage.url.empty()) {
        config_.storage.url = "sqlite:" + config_.server.data + "/entente.sqlite";
    }
    auto path = config_.storage.sqlite_path();
    absolute(path);
    config_.storage.url = "sqlite:" + path;
    if (config_.federation.api.empty()) {
        config_.federation.api = "https://" + config_.server.name.str();
    }
}

void Reading::finish()
{
    check_names();
    check_listeners();
    check_waits();
    check_credential("federation.ca_file", place_of("federation.ca_file", "federation"),
                     config_.federation.ca_file);
    for (const auto& listener : config_.listeners) {
        check_credential("listener.certificate", {listener.certificate_line, {}},
                         listener.certificate);
        check_credential("listener.key", {listener.key_line, {}}, listener.key);
    }
    fill_in();
}

}  // namespace

bool is_missing_credential(const std::string& path)
{
    return path.starts_with(credential_scheme);
}

std::string StorageConfig::sqlite_path() const
{
    constexpr std::string_view scheme = "sqlite:";
    return url.starts_with(scheme) ? url.substr(scheme.size()) : std::string();
}

Result<SocketAddress> parse_socket_address(std::string_view text)
{
    const auto wrong = [&] {
        return refuse(Code::malformed,
                      "\"" + std::string(text) + "\" isn't an IP address and a port");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong();
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != (host.find(':') != std::string_view::npos)) return wrong();

    SocketAddress found;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), found.port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        return wrong();
    boost::system::error_code failed;
    found.address = boost::asio::ip::make_address(std::string(host), failed);
    if (failed) return wrong();
    return found;
}

tl::expected<Config, ConfigProblems> load_config(const std::string& file,
                                                 const Environment& environment)
{
    const auto unreadable = [&](const std::string& why) {
        return tl::unexpected(ConfigProblems{{file, why}});
    };
    std::error_code failed;
    if (std::filesystem::is_directory(file, failed)) {
        return unreadable("is a folder; name a configuration file");
    }
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return unreadable(std::string("can't be read: ") + std::strerror(errno) +
                          "; name a configuration file that this user may read");
    }
    std::string text(max_config_octets + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return parse_config(text, file, environment);
}

tl::expected<Config, ConfigProblems> parse_config(std::string_view toml, const std::string& file,
                                                  const Environment& environment)
{
    Reading reading(file);
    if (toml.size() > max_config_octets) {
        reading.problem_at(1, "the file is larger than 1 MiB; shorten it");
        return std::move(reading).result();
    }
    const auto root = read_toml(toml);
    if (!root) {
        reading.problem_at(root.error().line, root.error().text);
        return std::move(reading).result();
    }
    reading.read_file(*root);
    reading.read_environment(environment);
    reading.finish();
    return std::move(reading).result();
}

std::vector<KeyDescription> describe_keys()
{
    std::vector<KeyDescription> keys;
    for (const auto& rule : config_rules()) {
        keys.push_back({std::string(rule.section) + "." + std::string(rule.key),
                        std::string(rule.fallback), environment_name(rule.section, rule.key)});
    }
    for (const auto& rule : listener_rules()) {
        keys.push_back({std::string(rule.section) + "." + std::string(rule.key),
                        std::string(rule.fallback),
                        {}});
    }
    return keys;
}

}  // namespace entente::daemon
