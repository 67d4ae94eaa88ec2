#pragma once

// What a reference peer is told: a folder with reference.json, its certificate and the authority
// of the servers that it asks. The folder holds its journal as well.

#include <filesystem>
#include <string>
#include <vector>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance::reference {

struct Settings {
    std::filesystem::path folder;
    // Its server name; alice and bob have accounts there.
    std::string name;
    Endpoint listen;
    // Names under this domain are at `peers`; no others are anywhere.
    std::string domain;
    Endpoint peers;
    std::vector<std::string> flags;
    // The process that it belongs to, and which it doesn't outlive; 0: none.
    int owner = 0;

    [[nodiscard]] std::string file(const char* of) const { return (folder / of).string(); }
};

constexpr const char* account_password = "reference";

// Throws std::runtime_error.
[[nodiscard]] Settings read_settings(const std::filesystem::path& folder);

// Makes the folder: reference.json, an authority and a certificate, an authority for the peers of
// the runner, and the target.toml of which the hooks are commands of this binary.
void write_settings(const Settings& settings);

}  // namespace entente::conformance::reference
