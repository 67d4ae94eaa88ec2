// Discovery: how a document is fetched: by one delegation at most, over TLS that names the host
// that is asked, within 10 s and 64 KiB [DISC-2].
#include "conformance/cases/discovery_parts.hpp"
#include "conformance/judge/machine_watch.hpp"

namespace entente::conformance {

namespace {

// All of a fetch takes 10 s at most; the rest is for the request around it.
constexpr Millis longest_fetch{12'500};
// What a fetch has under way when it stops reading stands in the buffers of two sockets.
constexpr std::size_t most_octets = 24U << 20U;
constexpr std::size_t endless_octets = 64U << 20U;
constexpr Millis delegate_pause{6'000};

std::string delegation_to(const std::string& origin)
{
    return nlohmann::json{{"delegate", origin}}.dump();
}

Origin::Handler says(const std::string& text)
{
    return at_discovery([text](const Request&) { return reply_json(200, text); });
}

// `other` delegates to `delegate`, which serves what `other` would.
Origin& delegate_of(Trial& trial, Origin& other, const std::string& scheme = "https://",
                    const std::string& behind = "", CertificateFault fault = CertificateFault::none)
{
    auto& delegate = trial.another("c", fault);
    delegate.on(says(other.document().dump()));
    other.on(says(delegation_to(scheme + delegate.name() + behind)));
    return delegate;
}

std::function<void(Trial&)> takes_delegation(const std::string& behind)
{
    return [=](Trial& trial) {
        auto& other = trial.another();
        static_cast<void>(delegate_of(trial, other, "https://", behind));
        takes_in(trial, other);
    };
}

std::function<void(Trial&)> refuses_delegation(const std::string& scheme, const std::string& behind)
{
    return [=](Trial& trial) {
        auto& other = trial.another();
        static_cast<void>(delegate_of(trial, other, scheme, behind));
        turns_away(trial, other);
    };
}

void refuses_second_delegation(Trial& trial)
{
    auto& other = trial.another();
    auto& between = trial.another("c");
    auto& last = trial.another("d");
    other.on(says(delegation_to("https://" + between.name())));
    between.on(says(delegation_to("https://" + last.name())));
    last.on(says(other.document().dump()));
    trial.control();
    const auto arrival = arrive(trial, other);
    trial.expect(last.connections() == 0, "not-followed", "it followed a second delegation");
    expect_turned_away(trial, arrival);
}

void refuses_delegation_to_itself(Trial& trial)
{
    auto& other = trial.another();
    other.on(says(delegation_to("https://" + other.name())));
    trial.control();
    const auto arrival = arrive(trial, other);
    trial.expect(arrival.fetches <= 2, "not-followed",
                 "it asked " + std::to_string(arrival.fetches) + " times");
    expect_turned_away(trial, arrival);
}

// The delegate serves a document of its own, in its own name.
void refuses_delegates_own_document(Trial& trial)
{
    auto& other = trial.another();
    auto& delegate = trial.another("c");
    other.on(says(delegation_to("https://" + delegate.name())));
    auto document = delegate.document();
    document["keys"] = other.document()["keys"];
    delegate.publish(document);
    turns_away(trial, other);
}

std::function<void(Trial&)> refuses_certificate(CertificateFault fault)
{
    return [=](Trial& trial) {
        auto& other = trial.another("b", fault);
        trial.control();
        const auto arrival = arrive(trial, other);
        if (other.connections() == 0) throw CouldNotRun("it has not connected to the server");
        expect_turned_away(trial, arrival, true);
    };
}

void refuses_delegates_certificate(Trial& trial)
{
    auto& other = trial.another();
    const auto& delegate = delegate_of(trial, other, "https://", "", CertificateFault::wrong_name);
    trial.control();
    const auto arrival = arrive(trial, other);
    if (delegate.connections() == 0) throw CouldNotRun("it has not connected to the delegate");
    expect_turned_away(trial, arrival);
}

// Neither the server nor its delegate is shown anything to know the target by.
void sends_no_credentials(Trial& trial)
{
    auto& other = trial.another();
    auto& delegate = delegate_of(trial, other);
    other.on(at_discovery([text = delegation_to("https://" + delegate.name())](const Request&) {
        Answer answer;
        answer.status = 200;
        answer.fields = {{"Content-Type", "application/json"},
                         {"Set-Cookie", "canary=sings; Domain=peers.test; Path=/"}};
        answer.body = text;
        return reply_with(std::move(answer));
    }));
    takes_in(trial, other);
    for (const auto* asked : {&other, &delegate})
        for (const auto& one : asked->received()) {
            if (!is_discovery(one)) continue;
            for (const auto* name : {"authorization", "proxy-authorization", "cookie"})
                trial.expect(!field_of(one.request.fields, name), "no-credentials",
                             "a fetch of a document has the field " + std::string(name));
        }
}

void expect_in_time(Trial& trial, const Arrival& arrival, const MachineWatch& watch)
{
    trial.expect(arrival.response.error.empty(), "in-time",
                 "there is no answer: " + arrival.response.error);
    watch.expect_within(Millis(arrival.milliseconds), longest_fetch, "in-time",
                        "the answer to a server whose document doesn't come takes too long");
}

Arrival arrive_in_time(Trial& trial, Origin& origin)
{
    const MachineWatch watch(trial.world().file().folder);
    auto arrival = arrive(trial, origin);
    expect_in_time(trial, arrival, watch);
    return arrival;
}

void gives_up_an_endless_document(Trial& trial)
{
    auto& other = trial.another();
    const auto written = std::make_shared<std::atomic<std::size_t>>(0);
    other.on(at_discovery([written](const Request&) {
        Reply reply;
        reply.octets =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
            "{\"padding\":\"";
        reply.endless = endless_octets;
        reply.written = written;
        reply.end = Reply::End::reset;
        return reply;
    }));
    trial.control();
    const auto arrival = arrive_in_time(trial, other);
    trial.expect(*written < most_octets, "bounded",
                 "it has read " + std::to_string(*written) + " octets of a document");
    expect_turned_away(trial, arrival);
}

void gives_up_a_slow_document(Trial& trial)
{
    auto& other = trial.another();
    other.on(at_discovery([text = other.document().dump()](const Request&) {
        auto reply = reply_json(200, text);
        reply.step = 1;
        reply.step_pause = Millis(1'000);
        return reply;
    }));
    trial.control();
    const auto arrival = arrive_in_time(trial, other);
    expect_turned_away(trial, arrival);
}

void gives_up_a_silent_server(Trial& trial)
{
    auto& other = trial.another();
    other.on(at_discovery([](const Request&) {
        Reply reply;
        reply.end = Reply::End::hang;
        return reply;
    }));
    trial.control();
    const auto arrival = arrive_in_time(trial, other);
    expect_turned_away(trial, arrival);
}

// Each of the two takes 6 s: together it is over 10 s.
void counts_the_delegation(Trial& trial)
{
    auto& other = trial.another();
    auto& delegate = trial.another("c");
    const auto late = [](const std::string& text) {
        return at_discovery([text](const Request&) {
            auto reply = reply_json(200, text);
            reply.pause = delegate_pause;
            return reply;
        });
    };
    other.on(late(delegation_to("https://" + delegate.name())));
    delegate.on(late(other.document().dump()));
    trial.control();
    const MachineWatch watch(trial.world().file().folder);
    const auto arrival = arrive(trial, other);
    expect_turned_away(trial, arrival);
    expect_in_time(trial, arrival, watch);
}

std::vector<Case> delegation_cases()
{
    return {
        {.id = "disc-20",
         .clause = "DISC-2",
         .proves = "A document is found by one delegation",
         .run = takes_delegation(""),
         .mutants = {{"delegation-refused", "accepted"}},
         .negative = false},
        {.id = "disc-21",
         .clause = "DISC-2",
         .proves = "A delegation may name the port 443",
         .run = takes_delegation(":443"),
         .mutants = {{"delegation-port-refused", "accepted"}},
         .negative = false},
        {.id = "disc-22",
         .clause = "DISC-2",
         .proves = "A delegation in answer to a delegation isn't followed",
         .run = refuses_second_delegation,
         .mutants = {{"delegation-chain", "not-followed"}}},
        {.id = "disc-23",
         .clause = "DISC-2",
         .proves = "A delegation to the server that makes it isn't followed twice",
         .run = refuses_delegation_to_itself,
         .mutants = {{"delegation-chain", "not-followed"}}},
        {.id = "disc-24",
         .clause = "DISC-2",
         .proves = "A delegation to plain http isn't followed",
         .run = refuses_delegation("http://", ""),
         .mutants = {{"delegation-unchecked", "refused"}}},
        {.id = "disc-25",
         .clause = "DISC-2",
         .proves = "A delegation to an origin with a path isn't followed",
         .run = refuses_delegation("https://", "/entente"),
         .mutants = {{"delegation-unchecked", "refused"}}},
        {.id = "disc-26",
         .clause = "DISC-1",
         .proves = "A delegate's document in its own name isn't that of the server that delegates",
         .run = refuses_delegates_own_document,
         .mutants = {{"document-name-ignored", "refused"}}},
        {.id = "disc-27",
         .clause = "DISC-2",
         .proves = "Fetches of documents carry no credentials, and no cookie that was set",
         .run = sends_no_credentials,
         .mutants = {{"sends-cookies", "no-credentials"}},
         .negative = false},
    };
}

std::vector<Case> certificate_cases()
{
    return {
        {.id = "disc-28",
         .clause = "DISC-2",
         .proves = "A server whose certificate has another name isn't believed",
         .run = refuses_certificate(CertificateFault::wrong_name),
         .mutants = {{"certificate-name-unchecked", "refused"}}},
        {.id = "disc-29",
         .clause = "DISC-2",
         .proves = "A server whose certificate has expired isn't believed",
         .run = refuses_certificate(CertificateFault::expired),
         .mutants = {{"certificate-chain-unchecked", "refused"}}},
        {.id = "disc-30",
         .clause = "DISC-2",
         .proves = "A server whose certificate is signed by itself isn't believed",
         .run = refuses_certificate(CertificateFault::self_signed),
         .mutants = {{"certificate-chain-unchecked", "refused"}}},
        {.id = "disc-31",
         .clause = "DISC-2",
         .proves =
             "A server whose certificate is of an authority that isn't trusted isn't believed",
         .run = refuses_certificate(CertificateFault::foreign_authority),
         .mutants = {{"certificate-chain-unchecked", "refused"}}},
        {.id = "disc-32",
         .clause = "DISC-2",
         .proves = "A delegate whose certificate has another name isn't believed",
         .run = refuses_delegates_certificate,
         .mutants = {{"certificate-name-unchecked", "refused"}}},
    };
}

std::vector<Case> endurance_cases()
{
    return {
        {.id = "disc-33",
         .clause = "DISC-2",
         .proves = "Of a document without end no more than 64 KiB are read",
         .run = gives_up_an_endless_document,
         .mutants = {{"document-size-unbounded", "bounded"}}},
        {.id = "disc-34",
         .clause = "DISC-2",
         .proves = "A document that comes by one octet a second is given up within 10 s",
         .run = gives_up_a_slow_document,
         .mutants = {{"document-time-per-read", "in-time"}},
         .waits = true},
        {.id = "disc-35",
         .clause = "DISC-2",
         .proves = "A server that takes the request for its document and falls silent is given up "
                   "within 10 s",
         .run = gives_up_a_silent_server,
         .mutants = {{"document-time-unbounded", "in-time"}},
         .waits = true},
        {.id = "disc-36",
         .clause = "DISC-2",
         .proves = "The 10 s of a fetch include its delegation",
         .run = counts_the_delegation,
         .mutants = {{"document-time-per-hop", "refused"}},
         .waits = true},
    };
}

}  // namespace

std::vector<Case> discovery_fetch_cases()
{
    auto all = delegation_cases();
    for (auto part : {certificate_cases, endurance_cases})
        for (auto& one : part()) all.push_back(std::move(one));
    return all;
}

}  // namespace entente::conformance
