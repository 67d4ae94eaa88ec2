#include "conformance/target/target.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

// Only here: the header takes seconds to compile.
#include <toml++/toml.h>

#include "conformance/sockets/tls.hpp"

namespace entente::conformance {

namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> known_keys = {
    {"target", {"name", "base", "connect", "ca_file"}},
    {"peers",
     {"domain", "listen", "authority_certificate", "authority_key", "topology", "dns", "address"}},
    {"accounts", {"client_api", "connect", "first", "second", "register"}},
    {"commands",
     {"create_channel", "post", "messages", "join", "invite", "remove", "ban", "standing"}},
    {"hooks", {"restart", "kill9", "clock", "rotate-key", "metrics", "verify"}}};

class Reading {
 public:
    Reading(std::string path, const toml::table& file)
        : path_(std::move(path)), folder_(fs::path(path_).parent_path()), file_(file)
    {
    }

    TargetFile read()
    {
        check_names();
        TargetFile target;
        if (!folder_.empty()) target.folder = folder_.string();
        target.name = text("target", "name", true);
        target.base = text("target", "base", true);
        check_origin("target", "base", target.base);
        target.connect = endpoint("target", "connect");
        target.ca_file = file("target", "ca_file");
        check_authorities(target.ca_file);
        if (const auto domain = text("peers", "domain"); !domain.empty()) target.domain = domain;
        if (const auto listen = endpoint("peers", "listen")) target.listen = *listen;
        target.authority_certificate = file("peers", "authority_certificate");
        target.authority_key = file("peers", "authority_key");
        check_authority(target);
        const auto topology = text("peers", "topology");
        if (topology == "sealed") {
            target.topology = Topology::sealed;
        } else if (!topology.empty() && topology != "loopback") {
            refuse("peers", "topology", "is \"" + topology + "\"; write loopback or sealed");
        }
        target.dns = endpoint("peers", "dns");
        target.address = text("peers", "address");
        if (target.topology == Topology::sealed && (!target.dns || target.address.empty()))
            refuse("peers", "topology",
                   "is sealed, which needs peers.dns and peers.address as well");
        if (!target.address.empty() && !Endpoint::parse("[" + target.address + "]:443"))
            refuse("peers", "address", "is \"" + target.address + "\"; write an IP address");
        target.client_api = text("accounts", "client_api");
        if (!target.client_api.empty()) check_origin("accounts", "client_api", target.client_api);
        target.client_connect = endpoint("accounts", "connect");
        if (const auto* asked = at("accounts", "register")) {
            const auto value = asked->value_exact<bool>();
            if (!value) refuse("accounts", "register", "is neither true nor false");
            target.register_accounts = *value;
        }
        target.first = account("first", target.name);
        target.second = account("second", target.name);
        if (target.first.user == target.second.user)
            refuse("accounts", "second",
                   "is " + target.second.user + ", as accounts.first is; two accounts are needed");
        target.commands = commands("commands");
        target.hooks = commands("hooks");
        if (target.client_api.empty() && target.commands.empty())
            refuse("accounts", "client_api",
                   "is missing, and so are [commands]; the runner reads messages back by one of "
                   "them: see docs/conformance/");
        return target;
    }

 private:
    [[noreturn]] void refuse(const std::string& section, const std::string& key,
                             const std::string& what)
    {
        std::size_t line = 1;
        if (const auto* node = at(section, key)) {
            line = node->source().begin.line;
        } else if (const auto* table = file_[section].as_table()) {
            line = table->source().begin.line;
        }
        throw TargetError(path_ + ":" + std::to_string(line) + ": " + section + "." + key + " " +
                          what);
    }

    const toml::node* at(const std::string& section, const std::string& key)
    {
        const auto* table = file_[section].as_table();
        return table == nullptr ? nullptr : table->get(key);
    }

    void check_names()
    {
        for (const auto& [section, node] : file_) {
            const auto known = known_keys.find(std::string(section.str()));
            if (known == known_keys.end() || !node.is_table())
                throw TargetError(path_ + ":" + std::to_string(node.source().begin.line) +
                                  ": there is no section [" + std::string(section.str()) + "]");
            for (const auto& [key, value] : *node.as_table())
                if (!known->second.contains(std::string(key.str())))
                    refuse(known->first, std::string(key.str()), "is unknown");
        }
    }

    std::string text(const std::string& section, const std::string& key, bool required = false)
    {
        const auto* node = at(section, key);
        if (node == nullptr) {
            if (required) refuse(section, key, "is missing");
            return {};
        }
        const auto value = node->value_exact<std::string>();
        if (!value) refuse(section, key, "is no text; write it in double quotes");
        if (required && value->empty()) refuse(section, key, "is empty");
        return *value;
    }

    std::string file(const std::string& section, const std::string& key)
    {
        const auto name = text(section, key);
        if (name.empty()) return {};
        const auto whole = fs::path(name).is_absolute() ? fs::path(name) : folder_ / name;
        if (!fs::exists(whole))
            refuse(section, key, "names " + whole.string() + ", which isn't there");
        if (fs::is_directory(whole))
            refuse(section, key, "names " + whole.string() + ", a folder; name a file in it");
        return whole.string();
    }

    void check_authorities(const std::string& ca_file)
    {
        if (ca_file.empty()) return;
        try {
            const ClientContext context(ca_file);
        } catch (const std::runtime_error&) {
            refuse("target", "ca_file", "names " + ca_file + ", which holds no certificate in PEM");
        }
    }

    void check_authority(const TargetFile& target)
    {
        const auto needs = [&](const char* key, const std::string& name) {
            if (name.empty())
                refuse("peers", key, "is missing; `init` makes it, beside the file that it writes");
        };
        needs("authority_certificate", target.authority_certificate);
        needs("authority_key", target.authority_key);
        try {
            static_cast<void>(Authority::load(contents(target.authority_certificate),
                                              contents(target.authority_key)));
        } catch (const std::runtime_error& error) {
            refuse("peers", "authority_key",
                   "names " + target.authority_key + " for " + target.authority_certificate +
                       ", and " + error.what() + "; `init` makes a pair of them");
        }
    }

    static std::string contents(const std::string& path)
    {
        std::ifstream stream(path, std::ios::binary);
        std::stringstream read;
        read << stream.rdbuf();
        return read.str();
    }

    std::optional<Endpoint> endpoint(const std::string& section, const std::string& key)
    {
        const auto written = text(section, key);
        if (written.empty()) return std::nullopt;
        const auto read = Endpoint::parse(written);
        if (!read)
            refuse(section, key,
                   "is \"" + written + "\"; write an IP address and a port, as 127.0.0.1:8448");
        return read;
    }

    void check_origin(const std::string& section, const std::string& key, const std::string& value)
    {
        try {
            static_cast<void>(split_origin(value));
        } catch (const TargetError& error) {
            refuse(section, key, error.what());
        }
    }

    Account account(const std::string& key, const std::string& server)
    {
        const auto* node = at("accounts", key);
        if (node == nullptr)
            refuse("accounts", key, "is missing; two accounts of the target are needed");
        const auto* table = node->as_table();
        const auto user = table == nullptr ? std::nullopt : (*table)["user"].value<std::string>();
        if (!user) refuse("accounts", key, "needs a user, as { user = \"alice@a.example\" }");
        if (user->find('@') != user->rfind('@') || !user->ends_with("@" + server) ||
            user->starts_with('@'))
            refuse(
                "accounts", key,
                "is \"" + *user + "\", no account of " + server + "; write it as alice@" + server);
        return {*user, (*table)["password"].value_or(std::string())};
    }

    std::map<std::string, std::string> commands(const std::string& section)
    {
        std::map<std::string, std::string> all;
        if (const auto* table = file_[section].as_table())
            for (const auto& [key, value] : *table)
                all[std::string(key.str())] = text(section, std::string(key.str()));
        return all;
    }

    std::string path_;
    fs::path folder_;
    const toml::table& file_;
};

}  // namespace

namespace {

// What is mostly wrong with a line that TOML doesn't take.
std::string remark_on(const std::string& text, std::size_t number)
{
    std::istringstream lines(text);
    std::string line;
    for (std::size_t read = 0; read < number && std::getline(lines, line); ++read) {
    }
    const auto equals = line.find('=');
    const auto value =
        equals == std::string::npos ? equals : line.find_first_not_of(" \t", equals + 1);
    if (value == std::string::npos || line[value] == '"' || line[value] == '\'') return {};
    return "; does a text stand without its double quotes?";
}

}  // namespace

Origin443 split_origin(const std::string& origin)
{
    static const std::string scheme = "https://";
    Origin443 split;
    if (!origin.starts_with(scheme))
        throw TargetError("is \"" + origin + "\"; write an https origin, as https://a.example");
    const auto rest = origin.substr(scheme.size());
    const auto colon = rest.find(':');
    split.host = rest.substr(0, colon);
    if (colon != std::string::npos) {
        const auto* end = rest.data() + rest.size();
        const auto read = std::from_chars(rest.data() + colon + 1, end, split.port);
        if (read.ec != std::errc() || read.ptr != end)
            throw TargetError("is \"" + origin + "\", whose port is none");
    }
    if (split.host.empty() || split.host.find('/') != std::string::npos)
        throw TargetError("is \"" + origin + "\"; write an https origin without a path");
    return split;
}

std::string TargetFile::host() const
{
    return split_origin(base).host;
}

std::uint16_t TargetFile::port() const
{
    return split_origin(base).port;
}

bool TargetFile::is_on_loopback() const
{
    const auto& where = connect ? connect->address : host();
    return where == "localhost" || where == "::1" || where.starts_with("127.");
}

TargetFile read_target(const std::string& path)
{
    if (fs::is_directory(path))
        throw TargetError(path + " is a folder; name the file in it, as " +
                          (fs::path(path) / "target.toml").string());
    std::ifstream stream(path, std::ios::binary);
    if (!stream) throw TargetError(path + " can't be read; `init` writes such a file");
    std::stringstream text;
    text << stream.rdbuf();
    try {
        const auto parsed = toml::parse(text.str(), path);
        return Reading(path, parsed).read();
    } catch (const toml::parse_error& error) {
        const auto line = error.source().begin.line;
        throw TargetError(path + ":" + std::to_string(line) + ": " +
                          std::string(error.description()) + remark_on(text.str(), line));
    }
}

}  // namespace entente::conformance
