// Discovery: a keyid that spells a server in another way than its name is malformed, and nobody is
// asked for it [NAME-1, NAME-2, NAME-4, SIG-9].
#include "conformance/cases/discovery_parts.hpp"
#include "conformance/host/canary.hpp"

namespace entente::conformance {

namespace {

const std::vector<Refusal> malformed_name = {{400, "malformed"}};

// The server part of a keyid, made of the name of the server that sends.
using Spelling = std::function<std::string(const std::string& name)>;

Defect spelled(const std::string& server)
{
    return {.before_signing = [server](Request&, SignatureInput& input) {
        const auto keyid = input.get("keyid");
        input.set("keyid", conformance::quoted(server + keyid.substr(keyid.find('#'), 44)));
    }};
}

std::function<void(Trial&)> refuses_spelling(const Spelling& spelling)
{
    return [=](Trial& trial) {
        trial.control();
        auto& other = trial.another();
        const auto arrival = arrive(trial, other, spelled(spelling(other.name())));
        trial.expect(other.connections() == 0, "not-fetched",
                     "it has asked the server that the keyid doesn't name");
        expect_turned_away(trial, arrival, true, malformed_name);
    };
}

std::function<void(Trial&)> refuses_server(const std::string& server)
{
    return refuses_spelling([=](const std::string&) { return server; });
}

void refuses_address_with_port(Trial& trial)
{
    trial.control();
    auto& other = trial.another();
    const Canary canary;
    const auto arrival = arrive(trial, other, spelled(canary.authority()));
    trial.expect(canary.connections() == 0, "not-fetched",
                 "it has connected to the address in the keyid");
    expect_turned_away(trial, arrival, true, malformed_name);
}

std::string in_capitals(std::string name)
{
    for (auto& octet : name)
        if (octet >= 'a' && octet <= 'z') octet = static_cast<char>(octet - 'a' + 'A');
    return name;
}

}  // namespace

std::vector<Case> discovery_name_cases()
{
    return {
        {.id = "disc-44",
         .clause = "NAME-2",
         .proves = "A server's name in capitals is malformed",
         .run = refuses_spelling(in_capitals),
         .mutants = {{"names-repaired", "not-fetched"}}},
        {.id = "disc-45",
         .clause = "NAME-1",
         .proves = "A server's name with a dot behind it is malformed",
         .run = refuses_spelling([](const std::string& name) { return name + "."; }),
         .mutants = {{"names-repaired", "not-fetched"}}},
        {.id = "disc-46",
         .clause = "NAME-1",
         .proves = "A server's name with a port is malformed",
         .run = refuses_spelling([](const std::string& name) { return name + ":443"; }),
         .mutants = {{"names-repaired", "not-fetched"}}},
        {.id = "disc-47",
         .clause = "NAME-1",
         .proves = "A server's name with user information is malformed",
         .run = refuses_spelling([](const std::string& name) { return "admin@" + name; }),
         .mutants = {{"names-repaired", "not-fetched"}}},
        {.id = "disc-48",
         .clause = "NAME-1",
         .proves = "A keyid that is a URL is malformed",
         .run = refuses_spelling([](const std::string& name) { return "https://" + name + "/"; }),
         .mutants = {{"names-repaired", "not-fetched"}}},
        {.id = "disc-49",
         .clause = "NAME-1",
         .proves = "A server's name with an empty label is malformed",
         .run = refuses_spelling([](const std::string& name) {
             return name.substr(0, name.find('.')) + "." + name.substr(name.find('.'));
         }),
         .mutants = {{"names-unchecked", "refused"}}},
        {.id = "disc-50",
         .clause = "NAME-1",
         .proves = "An IPv4 address is no server's name",
         .run = refuses_server("127.0.0.1"),
         .mutants = {{"names-unchecked", "refused"}}},
        {.id = "disc-51",
         .clause = "NAME-1",
         .proves = "An IPv4 address with a port is no server's name, and isn't connected to",
         .run = refuses_address_with_port,
         .mutants = {{"names-unchecked", "not-fetched"}}},
        {.id = "disc-52",
         .clause = "NAME-1",
         .proves = "An IPv6 address in brackets is no server's name",
         .run = refuses_server("[::1]"),
         .mutants = {{"names-unchecked", "refused"}}},
        {.id = "disc-53",
         .clause = "NAME-4",
         .proves = "An IPv4 address written as a number is no server's name",
         .run = refuses_server("2130706433"),
         .mutants = {{"names-unchecked", "refused"}}},
        {.id = "disc-54",
         .clause = "NAME-4",
         .proves = "An IPv4 address with a hexadecimal part is no server's name",
         .run = refuses_server("0x7f.1"),
         .mutants = {{"names-unchecked", "refused"}}},
        {.id = "disc-55",
         .clause = "NAME-4",
         .proves = "A name whose last label is a hexadecimal number is no server's name",
         .run = refuses_server("127.0x1"),
         .mutants = {{"names-unchecked", "refused"}}},
    };
}

}  // namespace entente::conformance
