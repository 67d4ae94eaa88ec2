// Discovery: what DNS says of a server is an attempt of whoever wrote it to have the target connect
// to a place of his choice [DISC-3]. In the sealed topology the runner answers the target's DNS,
// and every address in these cases leads to the runner, which serves the server's right document
// there: a target that connects is noticed, and one that believes what it finds takes the server
// in.
#include "conformance/cases/discovery_parts.hpp"

namespace entente::conformance {

namespace {

constexpr Millis follow_time{10'000};
constexpr Millis reach_time{500};
// From the question for a name to the connection that must not come.
constexpr Millis connect_delay{300};

DnsServer& dns_of(Trial& trial)
{
    if (trial.world().dns() == nullptr)
        throw NotApplicable(
            "needs the topology sealed, in which the runner answers the target's DNS");
    return *trial.world().dns();
}

// Says nothing of a name but these addresses.
DnsServer::Script always(std::vector<std::string> addresses)
{
    return [addresses = std::move(addresses)](const DnsQuestion&) {
        DnsAnswer answer;
        answer.addresses = addresses;
        return answer;
    };
}

// A target that connects is noticed only where the runner can be reached.
void check_reachable(Trial& trial, const std::string& address)
{
    if (!connect_tcp({address, trial.world().file().listen.port}, in(reach_time)).is_open())
        throw NotApplicable(address +
                            " leads nowhere in this network, so that a target that connects to it "
                            "couldn't be noticed");
}

std::function<void(Trial&)> refuses_address(const std::string& address)
{
    return [=](Trial& trial) {
        auto& dns = dns_of(trial);
        check_reachable(trial, address);
        trial.control();
        auto& other = trial.another();
        dns.write_script(other.name(), always({address}));
        const auto arrival = arrive(trial, other);
        trial.expect(other.connections() == 0, "not-connected", "it has connected to " + address);
        if (dns.questions_for(other.name()) == 0)
            throw CouldNotRun("it hasn't asked the runner's DNS for the server");
        expect_turned_away(trial, arrival, true);
    };
}

// A public address beside it doesn't make it less forbidden; whether the public one is used is the
// target's choice.
std::function<void(Trial&)> avoids_address(const std::string& address)
{
    return [=](Trial& trial) {
        auto& dns = dns_of(trial);
        check_reachable(trial, address);
        trial.control();
        auto& other = trial.another();
        dns.write_script(other.name(), always({address, trial.world().file().address}));
        static_cast<void>(arrive(trial, other));
        if (dns.questions_for(other.name()) == 0)
            throw CouldNotRun("it hasn't asked the runner's DNS for the server");
        trial.expect(other.connections_to(address) == 0, "not-connected",
                     "it has connected to " + address);
        trial.expect_still_serves();
    };
}

// The first answer is public, all others are the target's own machine.
void avoids_rebinding(Trial& trial)
{
    auto& dns = dns_of(trial);
    trial.control();
    auto& other = trial.another();
    other.on(at_discovery([text = other.document().dump()](const Request&) {
        Answer answer;
        answer.status = 200;
        answer.fields = {{"Content-Type", "application/json"}, {"Connection", "close"}};
        answer.body = text;
        auto reply = reply_with(std::move(answer));
        reply.end = Reply::End::close;
        return reply;
    }));
    dns.write_script(other.name(),
                     [address = trial.world().file().address](const DnsQuestion& question) {
                         DnsAnswer answer;
                         if (question.number == 0) {
                             answer.addresses = {address};
                         } else {
                             answer.addresses = {"127.0.0.1"};
                         }
                         return answer;
                     });
    const auto first = arrive(trial, other);
    trial.expect(other.connections_to("127.0.0.1") == 0, "not-connected",
                 "it looked twice within one fetch, and has connected to the second answer");
    expect_taken_in(trial, first);
    // A key that it doesn't know makes it look again [KEY-5].
    const auto asked = dns.questions_for(other.name());
    const auto second = arrive(trial, other, {.key = SigningKey::random()});
    if (dns.questions_for(other.name()) == asked)
        throw CouldNotRun("it hasn't asked the runner's DNS a second time");
    trial.expect(other.connections_to("127.0.0.1") == 0, "not-connected",
                 "it has connected to what DNS said the second time");
    trial.expect_refused(second.response, {{503, "key-unavailable"}});
    trial.expect_absent(second.text);
    trial.expect_still_serves();
}

void checks_the_delegate(Trial& trial)
{
    auto& dns = dns_of(trial);
    trial.control();
    auto& other = trial.another();
    auto& delegate = trial.another("c");
    dns.write_script(delegate.name(), always({"127.0.0.1"}));
    delegate.on(at_discovery(
        [text = other.document().dump()](const Request&) { return reply_json(200, text); }));
    other.on(at_discovery([name = delegate.name()](const Request&) {
        return reply_json(200, nlohmann::json{{"delegate", "https://" + name}}.dump());
    }));
    const auto arrival = arrive(trial, other);
    trial.expect(delegate.connections() == 0, "not-connected",
                 "it has connected to a delegate at 127.0.0.1");
    expect_turned_away(trial, arrival);
}

// A server is met, joins, and has its api at a forbidden address: what is said in the channel goes
// to the others alone.
void checks_the_api(Trial& trial)
{
    auto& dns = dns_of(trial);
    trial.control();
    auto& other = trial.another();
    auto& api = trial.another("c");
    dns.write_script(api.name(), always({"127.0.0.1"}));
    auto document = other.document();
    document["api"] = "https://" + api.name();
    other.publish(document);
    expect_taken_in(trial, arrive(trial, other));
    trial.accounts().post(Who::first, trial.channel(), trial.new_text());
    const auto until = in(follow_time);
    while (dns.questions_for(api.name()) == 0 && Clock::now() < until)
        std::this_thread::sleep_for(Millis(20));
    if (dns.questions_for(api.name()) == 0)
        throw CouldNotRun("it hasn't asked the runner's DNS for the host of the api");
    std::this_thread::sleep_for(connect_delay);
    trial.expect(api.connections() == 0, "not-connected",
                 "it has connected to an api at 127.0.0.1");
    trial.expect_still_serves();
}

struct ForbiddenAddress {
    const char* id;
    const char* address;
    const char* what;
};

constexpr ForbiddenAddress forbidden_addresses[] = {
    {"disc-56", "127.0.0.1", "of the target's own machine"},
    {"disc-57", "::1", "of the target's own machine (IPv6)"},
    {"disc-58", "0.0.0.0", "that means this network"},
    {"disc-59", "::", "that means none"},
    {"disc-60", "10.0.0.1", "of a private network"},
    {"disc-61", "100.64.0.1", "of the shared address space"},
    {"disc-62", "169.254.169.254", "of the link, where clouds keep their secrets"},
    {"disc-63", "192.0.0.8", "of the protocol assignments"},
    {"disc-64", "198.18.0.1", "for benchmarks"},
    {"disc-65", "224.0.0.1", "of many (multicast)"},
    {"disc-66", "240.0.0.1", "that is reserved"},
    {"disc-67", "::ffff:127.0.0.1", "that maps 127.0.0.1"},
    {"disc-68", "::127.0.0.1", "that is compatible with 127.0.0.1"},
    {"disc-69", "64:ff9b::7f00:1", "that stands for 127.0.0.1 behind a NAT64"},
    {"disc-70", "2002:7f00:1::1", "that stands for 127.0.0.1 behind 6to4"},
    {"disc-71", "2001::1", "of Teredo"},
    {"disc-72", "fe80::1", "of the link (IPv6)"},
    {"disc-73", "fc00::1", "of a private network (IPv6)"},
};

}  // namespace

std::vector<Case> discovery_address_cases()
{
    std::vector<Case> all;
    for (const auto& one : forbidden_addresses)
        all.push_back({.id = one.id,
                       .clause = "DISC-3",
                       .profile = Profile::hardened,
                       .proves = std::string("A server at ") + one.address + ", an address " +
                                 one.what + ", isn't connected to",
                       .run = refuses_address(one.address),
                       .mutants = {{"address-unguarded", "not-connected"}}});
    const auto add = [&](const char* id, const char* proves, std::function<void(Trial&)> run) {
        all.push_back({.id = id,
                       .clause = "DISC-3",
                       .profile = Profile::hardened,
                       .proves = proves,
                       .run = std::move(run),
                       .mutants = {{"address-unguarded", "not-connected"}}});
    };
    add("disc-74", "A private address beside a public one isn't connected to",
        avoids_address("10.0.0.1"));
    add("disc-75", "The own machine's IPv6 address beside a public IPv4 one isn't connected to",
        avoids_address("::1"));
    add("disc-76", "A DNS answer that changes to the own machine's address leads nowhere",
        avoids_rebinding);
    add("disc-77", "A delegate at the own machine's address isn't connected to",
        checks_the_delegate);
    add("disc-78", "An api at the own machine's address isn't connected to", checks_the_api);
    return all;
}

}  // namespace entente::conformance
