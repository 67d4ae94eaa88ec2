// HTTP: lines, fields, targets, versions and sizes of a request's head (RFC 9112 sections 2 to 5).
#include "conformance/cases/http_octets.hpp"
#include "conformance/cases/http_parts.hpp"

namespace entente::conformance {

namespace {

const std::vector<Refusal> bad_http_head = {{400, ""}};
const std::vector<Refusal> large_http_head = {{400, ""}, {413, ""}, {431, ""}};
constexpr const char* other_host = "elsewhere.example";
constexpr Millis interim_time{5'000};

std::function<void(Trial&)> refuses_head(const std::string& from, const std::string& to,
                                         const std::vector<Refusal>& allowed)
{
    return [=](Trial& trial) { trial.refuses(head_replaced(from, to), allowed); };
}

// `lines` made of fields that mean nothing, `octets` long at least.
std::function<void(Trial&)> refuses_fields(std::size_t count, std::size_t octets_each)
{
    return [=](Trial& trial) {
        std::string lines;
        for (std::size_t n = 0; n < count; ++n)
            lines +=
                "X-Padding-" + std::to_string(n) + ": " + std::string(octets_each, 'x') + "\r\n";
        trial.refuses({.octets =
                           [&](std::string& octets) {
                               const auto halves = halves_of(octets);
                               octets = with_lines(halves.head, lines) + halves.body;
                           },
                       .may_close = true},
                      large_http_head);
    };
}

// Of a head, as many octets and fields as every receiver takes [HTTP-7].
constexpr std::size_t head_octets = 8'192;
constexpr std::size_t head_fields = 64;

// The head has so many of both behind fields that mean nothing.
std::string filled_head(const std::string& head)
{
    std::size_t lines = 0;
    for (auto at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2))
        ++lines;
    // One of the lines is the request's, and one is empty.
    const auto missing = head_fields - (lines - 2);
    std::string added;
    for (std::size_t n = 0; n < missing; ++n) {
        const auto name = "X-Padding-" + std::to_string(n) + ": ";
        const auto left = head_octets - head.size() - added.size();
        added += name + std::string(left / (missing - n) - name.size() - 2, 'x') + "\r\n";
    }
    return with_lines(head, added);
}

void accepts_a_full_head(Trial& trial)
{
    trial.accepts({.octets = [](std::string& octets) {
        const auto halves = halves_of(octets);
        octets = filled_head(halves.head) + halves.body;
    }});
}

void refuses_two_hosts(Trial& trial)
{
    trial.refuses({.octets =
                       [](std::string& octets) {
                           const auto halves = halves_of(octets);
                           octets = with_lines(halves.head,
                                               std::string("Host: ") + other_host + "\r\n") +
                                    halves.body;
                       },
                   .may_close = true},
                  bad_http_head);
}

void refuses_no_host(Trial& trial)
{
    trial.refuses({.octets =
                       [](std::string& octets) {
                           const auto halves = halves_of(octets);
                           octets = without_field(halves.head, "Host") + halves.body;
                       },
                   .may_close = true},
                  bad_http_head);
}

void accepts_absolute_form(Trial& trial)
{
    const auto whole = "POST https://" + trial.door().authority() + "/federation/";
    trial.accepts(head_replaced("POST /federation/", whole));
}

// Signed as it is sent: the method is another one than POST all the same.
void refuses_lower_case_method(Trial& trial)
{
    trial.refuses(
        {.before_signing = [](Request& request, SignatureInput&) { request.method = "post"; },
         .may_close = true},
        {{400, ""}, {404, ""}, {405, ""}, {501, ""}});
}

// A request of which the head is sent, with Expect, and what the target says then.
struct Expecting {
    Expecting(Trial& trial, const Defect& defect)
        : message(signed_message(trial, defect)),
          halves(halves_of(message.octets)),
          connection(trial.door())
    {
        auto* stream = connection.stream();
        if (stream == nullptr) throw CouldNotRun("no connection: " + connection.error());
        exchange.at = trial.elapsed();
        exchange.what = "a head that expects 100-continue, then the body";
        exchange.sent = halves.head;
        static_cast<void>(stream->write(halves.head, in(interim_time)));
        interim = read_interim(*stream, rest, interim_time);
        exchange.received = interim;
    }

    SignedMessage message;
    HttpHalves halves;
    Connection connection;
    Exchange exchange;
    std::string interim;
    std::string rest;
};

Defect with_expectation()
{
    return {.after_signing = [](Request& request) {
        request.fields.emplace_back("Expect", "100-continue");
    }};
}

void expect_continue(Trial& trial, const Expecting& expecting)
{
    trial.expect(expecting.interim.starts_with("HTTP/1.1 100"), "continues",
                 "to Expect: 100-continue it says " +
                     (expecting.interim.empty()
                          ? std::string("nothing")
                          : expecting.interim.substr(0, expecting.interim.find("\r\n"))));
}

void continues(Trial& trial)
{
    trial.control();
    Expecting expecting(trial, with_expectation());
    auto* stream = expecting.connection.stream();
    Response response;
    if (expecting.interim.starts_with("HTTP/1.1 100")) {
        static_cast<void>(stream->write(expecting.halves.body, in(interim_time)));
        expecting.exchange.sent += expecting.halves.body;
        auto result = read_answer(*stream, expecting.rest, in(Connection::answer_time));
        expecting.exchange.received += result.answer.raw;
        response = response_of(std::move(result.answer));
        response.error = result.error;
    }
    trial.note(expecting.exchange);
    expect_continue(trial, expecting);
    trial.expect_ok(response, expecting.message.signature);
    trial.expect_once(expecting.message.text);
}

// Nothing comes behind the head. Whoever waits for it mustn't wait alone.
void silence_harms_nobody(Trial& trial)
{
    trial.control();
    Expecting expecting(trial, with_expectation());
    trial.note(expecting.exchange);
    expect_continue(trial, expecting);
    trial.expect_still_serves();
    trial.expect_absent(expecting.message.text);
}

std::vector<Case> http_line_cases()
{
    return {
        {.id = "http-37",
         .clause = "HTTP-5",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "A field that ends by LF alone is refused",
         .run = refuses_head("\r\nContent-Type:", "\nContent-Type:", bad_http_head),
         .mutants = {{"line-ends-by-lf", "refused"}},
         .descends_from = "RFC 9112 section 2.2; CVE-2022-32214"},
        {.id = "http-38",
         .clause = "HTTP-5",
         .profile = Profile::hardened,
         .proves = "A field that ends by CR alone is refused",
         // Where the CR becomes a blank it is another destination.
         .run = refuses_head("\r\nContent-Type:", "\rContent-Type:", {{400, ""}, {401, ""}}),
         .mutants = {{"line-ends-by-cr", "refused"}},
         .descends_from = "RFC 9112 section 2.2; CVE-2023-30589"},
        {.id = "http-39",
         .clause = "HTTP-5",
         .profile = Profile::hardened,
         .proves = "A blank between a field's name and its colon is refused",
         .run = refuses_head("Entente-Destination:", "Entente-Destination :", bad_http_head),
         .mutants = {{"blank-before-colon", "refused"}},
         .descends_from = "RFC 9112 section 5.1; CVE-2019-16276"},
        {.id = "http-40",
         .clause = "HTTP-6",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "A target in absolute form for another host is refused",
         .run = refuses_head("POST /", "POST https://elsewhere.example/",
                             {{400, ""}, {403, ""}, {404, ""}, {421, ""}}),
         .mutants = {{"absolute-form-of-any-host", "refused"}},
         .descends_from = "RFC 9112 section 3.2.2; RFC 9110 section 7.4"},
        {.id = "http-41",
         .clause = "HTTP-6",
         .profile = Profile::hardened,
         .proves = "A target in absolute form for the host of Host is served",
         .run = accepts_absolute_form,
         .mutants = {{"absolute-form-refused", "accepted"}},
         .descends_from = "RFC 9112 section 3.2.2",
         .negative = false},
        {.id = "http-42",
         .clause = "HTTP-6",
         .profile = Profile::hardened,
         .proves = "A request without Host is refused",
         .run = refuses_no_host,
         .mutants = {{"host-optional", "refused"}},
         .descends_from = "RFC 9112 section 3.2"},
        {.id = "http-43",
         .clause = "HTTP-6",
         .profile = Profile::hardened,
         .proves = "Two Host fields are refused",
         .run = refuses_two_hosts,
         .mutants = {{"host-twice", "refused"}},
         .descends_from = "RFC 9112 section 3.2"},
        {.id = "http-44",
         .clause = "HTTP-1",
         .profile = Profile::hardened,
         .proves = "A request of HTTP/2.0 in the form of HTTP/1.1 is refused",
         .run = refuses_head(" HTTP/1.1\r\n", " HTTP/2.0\r\n", {{400, ""}, {505, ""}}),
         .mutants = {{"any-http-version", "refused"}},
         .descends_from = "RFC 9110 section 15.6.6"},
        {.id = "http-45",
         .clause = "HTTP-6",
         .profile = Profile::hardened,
         .proves = "The method post isn't POST",
         .run = refuses_lower_case_method,
         .mutants = {{"method-in-any-case", "refused"}},
         .descends_from = "RFC 9110 section 9.1"},
    };
}

std::vector<Case> http_size_cases()
{
    return {
        {.id = "http-46",
         .clause = "HTTP-7",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "A head of 100 KiB is refused",
         .run = refuses_fields(1, 102'400),
         .mutants = {{"no-head-limit", "refused"}},
         .descends_from = "RFC 6585 section 5"},
        {.id = "http-47",
         .clause = "HTTP-7",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "A head of 1,000 fields is refused",
         .run = refuses_fields(1'000, 1),
         .mutants = {{"no-field-limit", "refused"}},
         .descends_from = "RFC 6585 section 5"},
        {.id = "http-48",
         .clause = "HTTP-7",
         .profile = Profile::hardened,
         .proves = "A head of 8 MiB is refused",
         .run = refuses_fields(1'024, 8'192),
         .mutants = {{"no-head-limit", "refused"}},
         .descends_from = "RFC 9110 section 5.4"},
        {.id = "http-49",
         .clause = "HTTP-11",
         .profile = Profile::hardened,
         .proves = "Expect: 100-continue is answered by 100, and the request served",
         .run = continues,
         .mutants = {{"expectation-ignored", "continues"}},
         .descends_from = "RFC 9110 section 10.1.1",
         .negative = false},
        {.id = "http-50",
         .clause = "HTTP-13",
         .profile = Profile::hardened,
         .proves = "Who expects 100-continue and then says nothing keeps nobody waiting",
         .run = silence_harms_nobody,
         .mutants = {{"one-connection-at-a-time", "still-serves"}},
         .descends_from = "RFC 9110 section 10.1.1"},
    };
}

}  // namespace

std::vector<Case> http_head_cases()
{
    auto all = http_line_cases();
    for (auto& one : http_size_cases()) all.push_back(std::move(one));
    return all;
}

std::vector<Case> http_full_head_cases()
{
    return {
        {.id = "http-55",
         .clause = "HTTP-7",
         .profile = Profile::hardened,
         .proves = "A head of exactly 8 KiB and 64 fields is taken, and the request served",
         .run = accepts_a_full_head,
         .mutants = {{"small-heads-only", "accepted"}},
         .descends_from = "RFC 9110 section 5.4",
         .negative = false},
    };
}

}  // namespace entente::conformance
