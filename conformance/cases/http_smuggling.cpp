// HTTP: a request that is refused takes its body with it, and what is sent behind one is answered
// in its turn or not at all.
#include "conformance/cases/http_octets.hpp"
#include "conformance/cases/http_parts.hpp"

namespace entente::conformance {

namespace {

// The hidden request is the body, of the right length; `change` is done to the head.
HttpFrame hidden_as_body(const std::function<std::string(std::string head)>& change)
{
    return [=](const std::string& outer, const std::string& hidden) {
        const auto octets = reframed(
            outer, [&](const std::string&) { return length_line(std::to_string(hidden.size())); },
            [&](const std::string&) { return hidden; });
        const auto halves = halves_of(octets);
        return change(halves.head) + halves.body;
    };
}

std::string without_host(std::string head)
{
    return without_field(std::move(head), "Host");
}

std::string to_unknown_path(std::string head)
{
    return with_replaced(std::move(head), "/federation/v1/inbox", "/federation/v1/no-such-path");
}

std::string by_unknown_method(std::string head)
{
    return with_replaced(std::move(head), "POST ", "DELETE ");
}

std::string with_unknown_expectation(std::string head)
{
    return with_lines(std::move(head), "Expect: the-unexpected\r\n");
}

// 2^40 octets are announced, of which the first are a request.
std::string behind_too_large(const std::string& outer, const std::string& hidden)
{
    return reframed(
        outer, [](const std::string&) { return length_line("1099511627776"); },
        [&](const std::string&) { return hidden; });
}

// A GET of the server document, that anybody may read, with a body.
std::string inside_of_get(const std::string& outer, const std::string& hidden)
{
    const auto from = outer.find("\r\nHost: ") + 2;
    const auto host = outer.substr(from, outer.find("\r\n", from) + 2 - from);
    return "GET /.well-known/entente HTTP/1.1\r\n" + host +
           length_line(std::to_string(hidden.size())) + "\r\n" + hidden;
}

// Of HTTP/1.0, where Transfer-Encoding means that nobody knows where the body ends.
std::string chunks_of_old_client(const std::string& outer, const std::string& hidden)
{
    const auto octets = reframed(
        outer, [](const std::string&) { return "Transfer-Encoding: chunked\r\n"; },
        [&](const std::string& body) { return chunked(body) + hidden; });
    return with_replaced(octets, " HTTP/1.1\r\n", " HTTP/1.0\r\nConnection: keep-alive\r\n");
}

// The connection of an HTTP/1.0 client that doesn't ask for more ends with its answer.
std::string behind_old_client(const std::string& outer, const std::string& hidden)
{
    return with_replaced(outer, " HTTP/1.1\r\n", " HTTP/1.0\r\n") + hidden;
}

// As behind_old_client, where an HTTP/1.1 client says that it is the last.
std::string behind_the_last(const std::string& outer, const std::string& hidden)
{
    const auto halves = halves_of(outer);
    return with_lines(halves.head, "Connection: close\r\n") + halves.body + hidden;
}

// Both are served, in order, each answer signed for its own request; or the second isn't read.
void answers_in_order(Trial& trial)
{
    trial.control();
    const auto first = signed_message(trial);
    const auto second = signed_message(trial);
    const auto heard = converse(trial, first.octets + second.octets, "two requests at once", 2);
    trial.expect(!heard.answers.empty(), "answered", "the first of two requests isn't answered");
    trial.expect_ok(response_of(heard.answers[0]), first.signature);
    trial.expect_once(first.text);
    if (heard.answers.size() > 1) {
        trial.expect_ok(response_of(heard.answers[1]), second.signature);
        trial.expect_once(second.text);
    } else {
        trial.expect(heard.ended, "answered",
                     "the second of two requests isn't answered, and the connection stays open");
        trial.expect_absent(second.text);
    }
}

}  // namespace

std::vector<Case> http_smuggling_cases()
{
    return {
        {.id = "http-27",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves = "A request in the body of one that is refused for having no Host isn't read as "
                   "the next one",
         .run = smuggles_nothing(hidden_as_body(without_host)),
         .mutants = {{"goes-on-behind-bad-head", "no-effect"}},
         .descends_from = "RFC 9112 section 9.3; CVE-2019-20372"},
        {.id = "http-28",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves = "A request in the body of one for an unknown path isn't read as the next one",
         .run = smuggles_nothing(hidden_as_body(to_unknown_path)),
         .mutants = {{"unread-body-of-unknown-path", "no-effect"}},
         .descends_from = "RFC 9112 section 9.3; CVE-2019-20372"},
        {.id = "http-29",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves = "A request in the body of a DELETE of the inbox isn't read as the next one",
         .run = smuggles_nothing(hidden_as_body(by_unknown_method)),
         .mutants = {{"unread-body-of-unknown-method", "no-effect"}},
         .descends_from = "RFC 9112 section 9.3"},
        {.id = "http-30",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves = "A request in the body of one that is refused for announcing 2^40 octets isn't "
                   "read as the next one",
         .run = smuggles_nothing(behind_too_large),
         .mutants = {{"goes-on-behind-too-large", "no-effect"}},
         .descends_from = "RFC 9110 section 15.5.14; RFC 9112 section 9.3"},
        {.id = "http-31",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves =
             "A request in the body of a GET of the server document isn't read as the next one",
         .run = smuggles_nothing(inside_of_get),
         .mutants = {{"body-of-get-unread", "no-effect"}},
         .descends_from = "RFC 9110 section 9.3.1"},
        {.id = "http-32",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves =
             "A request in the body of one with Expect: the-unexpected isn't read as the next one",
         .run = smuggles_nothing(hidden_as_body(with_unknown_expectation)),
         .mutants = {{"body-of-failed-expectation-unread", "no-effect"}},
         .descends_from = "RFC 9110 section 10.1.1"},
        {.id = "http-33",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A request behind the last chunk of one of HTTP/1.0, which knows no chunks, "
                   "isn't read as the next one",
         .run = smuggles_nothing(chunks_of_old_client),
         .mutants = {{"chunks-of-http10", "no-effect"}},
         .descends_from = "RFC 9112 section 6.1; CVE-2026-77756"},
        {.id = "http-34",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves =
             "A request behind one of HTTP/1.0, whose connection ends with its answer, isn't read",
         .run = smuggles_nothing(behind_old_client),
         .mutants = {{"http10-keeps-connection", "no-effect"}},
         .descends_from = "RFC 9112 section 9.3"},
        {.id = "http-35",
         .clause = "HTTP-9",
         .profile = Profile::hardened,
         .proves = "A request behind one with Connection: close isn't read",
         .run = smuggles_nothing(behind_the_last),
         .mutants = {{"close-ignored", "no-effect"}},
         .descends_from = "RFC 9112 section 9.6"},
        {.id = "http-36",
         .clause = "HTTP-10",
         .profile = Profile::hardened,
         .proves = "Of two requests sent at once both are answered, in order and each under its "
                   "own signature, or the connection ends behind the first",
         .run = answers_in_order,
         .mutants = {{"pipelined-request-lost", "answered"}},
         .descends_from = "RFC 9112 section 9.3.2",
         .negative = false},
    };
}

}  // namespace entente::conformance
