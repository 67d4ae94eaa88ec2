#pragma once

// What target.toml says of the server under test: where it is, how its accounts are used, how its
// owner's machine is asked to restart it, where the runner's peers live.

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance {

// What a person has written wrong, on the command line or in a file that it names: exit code 2.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What is wrong with a target's file, with its place.
class TargetError : public UsageError {
    using UsageError::UsageError;
};

struct Account {
    // localpart@server
    std::string user;
    std::string password;
};

enum class Topology {
    // Names are mapped to the runner's listener by the target's own override; only 127.0.0.1 is
    // allowed there.
    loopback,
    // A network namespace of its own: the runner's peers have globally routable addresses, port 443
    // and a DNS server at port 53, so the target's guard stays on.
    sealed,
};

struct TargetFile {
    // Where the file is.
    std::string folder = ".";

    // [target]
    std::string name;
    // https://host or https://host:port, of the federation API.
    std::string base;
    // Where `base` really is; its own host's address, by the system's resolver, where absent.
    std::optional<Endpoint> connect;
    // PEM; the system's authorities where empty.
    std::string ca_file;

    // [peers]
    std::string domain = "peers.test";
    Endpoint listen{"127.0.0.1", 9443};
    std::string authority_certificate;
    std::string authority_key;
    Topology topology = Topology::loopback;
    // Of the sealed topology: where the runner answers the target's DNS, and the globally routable
    // address that it gives for its peers.
    std::optional<Endpoint> dns;
    std::string address;

    // [accounts]: the client API of Entente where `client_api` isn't empty, else `commands`.
    std::string client_api;
    std::optional<Endpoint> client_connect;
    // By the client API: accounts that aren't there are registered.
    bool register_accounts = false;
    Account first;
    Account second;

    // [commands] and [hooks]: shell commands, by their name.
    std::map<std::string, std::string> commands;
    std::map<std::string, std::string> hooks;

    // Files of test vectors, by the command line.
    std::vector<std::string> vectors;

    [[nodiscard]] std::string host() const;
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] bool is_on_loopback() const;
};

// Relative paths start at the file's folder. Throws TargetError: `FILE:LINE: what; what to do`.
[[nodiscard]] TargetFile read_target(const std::string& path);

// The host and port of an https origin; throws TargetError.
struct Origin443 {
    std::string host;
    std::uint16_t port = 443;
};
[[nodiscard]] Origin443 split_origin(const std::string& origin);

}  // namespace entente::conformance
