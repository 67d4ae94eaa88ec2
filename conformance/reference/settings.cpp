#include "conformance/reference/settings.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "conformance/sockets/tls.hpp"

namespace entente::conformance::reference {

namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text)
{
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) throw std::runtime_error(path.string() + " can't be written");
}

std::string target_of(const Settings& settings)
{
    const auto self = fs::read_symlink("/proc/self/exe").string();
    std::string text =
        "# The reference peer in this folder.\n[target]\n"
        "name = \"" +
        settings.name +
        "\"\n"
        "base = \"https://" +
        settings.name +
        "\"\n"
        "connect = \"" +
        settings.listen.text() +
        "\"\n"
        "ca_file = \"authority.pem\"\n"
        "[peers]\n"
        "domain = \"" +
        settings.domain +
        "\"\n"
        "listen = \"" +
        settings.peers.text() +
        "\"\n"
        "authority_certificate = \"peers.pem\"\n"
        "authority_key = \"peers.key\"\n"
        "[accounts]\n"
        "client_api = \"https://" +
        settings.name + "\"\n";
    for (const auto* who : {"first", "second"})
        text += std::string(who) + " = { user = \"" + (who[0] == 'f' ? "alice@" : "bob@") +
                settings.name + "\", password = \"" + account_password + "\" }\n";
    text += "[hooks]\n";
    for (const auto* hook : {"restart", "kill9", "clock", "rotate-key", "metrics", "verify"})
        text += std::string(hook) + " = \"'" + self + "' reference-hook " + hook + " --folder '" +
                settings.folder.string() + "'\"\n";
    return text;
}

}  // namespace

Settings read_settings(const fs::path& folder)
{
    const auto path = folder / "reference.json";
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    const auto read = nlohmann::json::parse(text.str(), nullptr, false);
    const auto endpoint = [&](const char* name) {
        const auto found = Endpoint::parse(read.is_object() ? read.value(name, "") : "");
        if (!found) throw std::runtime_error(path.string() + ": " + name + " is no address");
        return *found;
    };
    Settings settings;
    settings.folder = fs::absolute(folder);
    settings.listen = endpoint("listen");
    settings.peers = endpoint("peers");
    settings.name = read.at("name").get<std::string>();
    settings.domain = read.at("domain").get<std::string>();
    settings.flags = read.at("flags").get<std::vector<std::string>>();
    settings.owner = read.value("owner", 0);
    return settings;
}

void write_settings(const Settings& settings)
{
    fs::create_directories(settings.folder);
    const nlohmann::json written = {{"name", settings.name},     {"listen", settings.listen.text()},
                                    {"domain", settings.domain}, {"peers", settings.peers.text()},
                                    {"flags", settings.flags},   {"owner", settings.owner}};
    write_text(settings.folder / "reference.json", written.dump(2) + "\n");
    const auto authority = Authority::make("Authority of a reference peer");
    const auto certificate = authority.issue(settings.name);
    write_text(settings.folder / "authority.pem", authority.own().chain);
    write_text(settings.folder / "authority.key", authority.own().key);
    write_text(settings.folder / "certificate.pem", certificate.chain);
    write_text(settings.folder / "certificate.key", certificate.key);
    const auto peers = Authority::make("Authority of the peers of a reference peer");
    write_text(settings.folder / "peers.pem", peers.own().chain);
    write_text(settings.folder / "peers.key", peers.own().key);
    write_text(settings.folder / "target.toml", target_of(settings));
}

}  // namespace entente::conformance::reference
