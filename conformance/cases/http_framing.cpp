// HTTP: how long a body is must have one meaning only (RFC 9112 section 6).
#include "conformance/cases/http_octets.hpp"
#include "conformance/cases/http_parts.hpp"

namespace entente::conformance {

namespace {

const std::vector<Refusal> no_clear_length = {{400, ""}, {411, ""}, {413, ""}, {501, ""}};

// The body in one chunk, under `lines` in place of Content-Length.
std::function<void(Trial&)> refuses_coded(const std::string& lines)
{
    return [=](Trial& trial) {
        trial.refuses(framed([=](const std::string&) { return lines; },
                             [](const std::string& body) { return chunked(body); }),
                      no_clear_length);
    };
}

// The body as it is, under lines that are made of its length.
std::function<void(Trial&)> refuses_length(
    const std::function<std::string(std::size_t length)>& lines)
{
    return [=](Trial& trial) {
        trial.refuses(framed([=](const std::string& body) { return lines(body.size()); },
                             [](const std::string& body) { return body; }),
                      no_clear_length);
    };
}

// Both lengths of a body that is the message alone for who reads chunks, with a request behind.
std::string chunks_end_first(const std::string& outer, const std::string& hidden)
{
    return reframed(
        outer,
        [&](const std::string& body) {
            return length_line(std::to_string(chunked(body).size() + hidden.size())) +
                   "Transfer-Encoding: chunked\r\n";
        },
        [&](const std::string& body) { return chunked(body) + hidden; });
}

// For who believes Content-Length the body ends inside of a chunk, in front of a request.
std::string length_ends_first(const std::string& outer, const std::string& hidden)
{
    // The chunk's line is all that Content-Length spans.
    const auto line = hex_size(hidden.size()) + "\r\n";
    return reframed(
        outer,
        [&](const std::string&) {
            return length_line(std::to_string(line.size())) + "Transfer-Encoding: chunked\r\n";
        },
        [&](const std::string&) { return chunked(hidden); });
}

void refuses_both(Trial& trial)
{
    trial.refuses(framed(
                      [](const std::string& body) {
                          return length_line(std::to_string(chunked(body).size())) +
                                 "Transfer-Encoding: chunked\r\n";
                      },
                      [](const std::string& body) { return chunked(body); }),
                  no_clear_length);
}

// The body, which is a request itself, has the lengths that `lines` makes of it.
HttpFrame hidden_under(const std::function<std::string(std::size_t length)>& lines)
{
    return [=](const std::string& outer, const std::string& hidden) {
        return reframed(
            outer, [&](const std::string&) { return lines(hidden.size()); },
            [&](const std::string&) { return hidden; });
    };
}

std::string two_equal_lengths(std::size_t length)
{
    return length_line(std::to_string(length)) + length_line(std::to_string(length));
}

// 2^64 and more, so that a sum that wraps is the length.
std::string wrapping_length(std::size_t length)
{
    // 18,446,744,073,709,551,616 = 2^64: the sum stays within its last ten digits.
    const auto low = 3'709'551'616ULL + length;
    return "1844674407" + std::to_string(low);
}

constexpr const char* rfc_9112_both_lengths = "RFC 9112 section 6.1; CVE-2005-2088";
constexpr const char* rfc_9112_length = "RFC 9112 section 6.3";

std::vector<Case> http_coding_cases()
{
    return {
        {.id = "http-01",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "Where Content-Length and chunks are both given, and the chunks end first, what "
                   "follows them isn't read as a request",
         .run = smuggles_nothing(chunks_end_first),
         .mutants = {{"both-lengths-chunks-win", "no-effect"}},
         .descends_from = rfc_9112_both_lengths},
        {.id = "http-02",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "Where Content-Length and chunks are both given, and Content-Length ends first, "
                   "the rest of the chunk isn't read as a request",
         .run = smuggles_nothing(length_ends_first),
         .mutants = {{"both-lengths-length-wins", "no-effect"}},
         .descends_from = rfc_9112_both_lengths},
        {.id = "http-03",
         .clause = "HTTP-2",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "A request with Content-Length and Transfer-Encoding is refused",
         .run = refuses_both,
         .mutants = {{"both-lengths-chunks-win", "refused"}},
         .descends_from = rfc_9112_both_lengths},
        {.id = "http-04",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "Two Transfer-Encoding fields are refused",
         .run = refuses_coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         .mutants = {{"coding-twice", "refused"}},
         .descends_from = "RFC 9112 section 6.1; CVE-2020-8287"},
        {.id = "http-05",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A Transfer-Encoding in which chunked isn't the last is refused",
         .run = refuses_coded("Transfer-Encoding: chunked, identity\r\n"),
         .mutants = {{"coding-contains-chunked", "refused"}},
         .descends_from = "RFC 9112 section 6.3; CVE-2021-33037"},
        {.id = "http-06",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A Transfer-Encoding of xchunked is refused",
         .run = refuses_coded("Transfer-Encoding: xchunked\r\n"),
         .mutants = {{"coding-contains-chunked", "refused"}},
         .descends_from = "RFC 9112 section 6.1; CVE-2019-18277, CVE-2022-32213"},
        {.id = "http-07",
         .clause = "HTTP-5",
         .profile = Profile::hardened,
         .proves = "A blank between Transfer-Encoding and its colon is refused",
         .run = refuses_coded("Transfer-Encoding : chunked\r\n"),
         .mutants = {{"blank-before-colon", "refused"}},
         .descends_from = "RFC 9112 section 5.1; CVE-2019-16869"},
        {.id = "http-08",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A vertical tab in front of chunked is refused",
         .run = refuses_coded("Transfer-Encoding: \x0b"
                              "chunked\r\n"),
         .mutants = {{"control-characters-trimmed", "refused"}},
         .descends_from = "RFC 9110 section 5.5; CVE-2022-1705"},
    };
}

std::vector<Case> http_length_cases()
{
    return {
        {.id = "http-09",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "Two Content-Length fields of which the first is right are refused",
         .run = refuses_length([](std::size_t length) {
             return length_line(std::to_string(length)) + length_line(std::to_string(length - 1));
         }),
         .mutants = {{"first-length-wins", "refused"}},
         .descends_from = "RFC 9112 section 6.3; CVE-2005-2090"},
        {.id = "http-10",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "Two Content-Length fields of which the last is right are refused",
         .run = refuses_length([](std::size_t length) {
             return length_line(std::to_string(length - 1)) + length_line(std::to_string(length));
         }),
         .mutants = {{"last-length-wins", "refused"}},
         .descends_from = "RFC 9112 section 6.3; CVE-2005-2090"},
        {.id = "http-11",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A request that is the body under two equal Content-Length fields isn't read as "
                   "one of its own",
         .run = smuggles_nothing(hidden_under(two_equal_lengths)),
         .mutants = {{"two-lengths-are-none", "no-effect"}},
         .descends_from = rfc_9112_length},
        {.id = "http-12",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A Content-Length with a plus sign is refused",
         .run = refuses_length(
             [](std::size_t length) { return length_line("+" + std::to_string(length)); }),
         .mutants = {{"length-with-sign", "refused"}},
         .descends_from = "RFC 9110 section 8.6; CVE-2023-38697"},
        {.id = "http-13",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A Content-Length in hexadecimal is refused",
         .run = refuses_length(
             [](std::size_t length) { return length_line("0x" + hex_size(length)); }),
         .mutants = {{"length-in-hex", "refused"}},
         .descends_from = "RFC 9110 section 8.6; CVE-2023-38697"},
        {.id = "http-14",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves =
             "A request that is the body under Content-Length: -1 isn't read as one of its own",
         .run = smuggles_nothing(hidden_under([](std::size_t) { return length_line("-1"); })),
         .mutants = {{"negative-length-is-none", "no-effect"}},
         .descends_from = "RFC 9110 section 8.6"},
        {.id = "http-15",
         .clause = "HTTP-2",
         .profile = Profile::hardened,
         .proves = "A Content-Length of 2^64 and more, which would wrap to the body's, is refused",
         .run = refuses_length(
             [](std::size_t length) { return length_line(wrapping_length(length)); }),
         .mutants = {{"length-wraps", "refused"}},
         .descends_from = rfc_9112_length},
        {.id = "http-16",
         .clause = "HTTP-8",
         .profile = Profile::hardened,
         .proves = "A request with Content-Length: 1099511627776 is refused for that, without "
                   "waiting for so many octets",
         .run = refuses_length([](std::size_t) { return length_line("1099511627776"); }),
         .mutants = {{"no-body-limit", "refused"}}},
    };
}

}  // namespace

std::vector<Case> http_framing_cases()
{
    auto all = http_coding_cases();
    for (auto& one : http_length_cases()) all.push_back(std::move(one));
    return all;
}

}  // namespace entente::conformance
