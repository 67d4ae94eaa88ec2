// HTTP: chunks, whose sizes and ends have one form (RFC 9112 section 7.1), and bodies that end
// before they are whole.
#include "conformance/cases/http_octets.hpp"
#include "conformance/cases/http_parts.hpp"

namespace entente::conformance {

namespace {

const std::vector<Refusal> no_chunks = {{400, ""}, {411, ""}, {413, ""}, {501, ""}};
constexpr Millis cut_end_time{5'000};

std::string chunked_line(const std::string&)
{
    return "Transfer-Encoding: chunked\r\n";
}

// The body, coded by `coding` under a good Transfer-Encoding, is refused.
std::function<void(Trial&)> refuses_chunks(const HttpCoding& coding)
{
    return [=](Trial& trial) { trial.refuses(framed(chunked_line, coding), no_chunks); };
}

std::string wrapping_chunk(const std::string& body)
{
    // 2^64 in front of the size.
    auto digits = hex_size(body.size());
    digits.insert(0, 16 - digits.size(), '0');
    return "1" + digits + "\r\n" + body + "\r\n0\r\n\r\n";
}

// For who reads the line on to its CRLF the whole body follows; for others it begins with "b".
std::string extension_with_lf(const std::string& body)
{
    return hex_size(body.size()) + ";a\nb\r\n" + body + "\r\n0\r\n\r\n";
}

std::string chunk_line_ended_by_lf(const std::string& body)
{
    return hex_size(body.size()) + ";a=b\n" + body + "\r\n0\r\n\r\n";
}

std::string chunk_with_other_end(const std::string& body)
{
    return hex_size(body.size()) + "\r\n" + body + "XX0\r\n\r\n";
}

std::string rubbish_behind(const std::string& body)
{
    return hex_size(body.size()) + "\r\n" + body + "\r\n0\r\nthis is no field\r\n\r\n";
}

// Content-Length promises more than comes, though what comes is the whole message.
std::string promised_more(const std::string& octets)
{
    return reframed(
        octets,
        [](const std::string& body) { return length_line(std::to_string(body.size() + 8)); },
        [](const std::string& body) { return body; });
}

std::string without_last_chunk(const std::string& octets)
{
    return reframed(octets, chunked_line, [](const std::string& body) {
        return hex_size(body.size()) + "\r\n" + body + "\r\n";
    });
}

// What `cut` leaves of a request is sent, and the connection ended as an orderly client does.
std::function<void(Trial&)> unfinished_is_nothing(
    const std::function<std::string(const std::string& octets)>& cut)
{
    return [=](Trial& trial) {
        trial.control();
        const auto message = signed_message(trial);
        Connection connection(trial.door());
        auto* stream = connection.stream();
        if (stream == nullptr) throw CouldNotRun("no connection: " + connection.error());
        Exchange exchange;
        exchange.at = trial.elapsed();
        exchange.what = "the defect, and the end of the connection";
        exchange.sent = cut(message.octets);
        static_cast<void>(stream->write(exchange.sent, in(cut_end_time)));
        stream->close();
        std::string rest;
        const auto result = read_answer(*stream, rest, in(cut_end_time));
        exchange.received = with_remark(result.answer.raw, result.error);
        trial.note(std::move(exchange));
        trial.expect(result.answer.status != 200, "refused",
                     "a request that ended before it was whole is answered 200");
        trial.expect_absent(message.text);
        trial.expect_still_serves();
    };
}

// In several chunks, with an extension, a trailer, and blanks around the coding's name.
void accepts_chunks(Trial& trial)
{
    trial.control();
    const auto message = signed_message(
        trial, framed([](const std::string&) { return "Transfer-Encoding:\t Chunked \r\n"; },
                      [](const std::string& body) {
                          const auto half = body.size() / 2;
                          return hex_size(half) + ";why=not\r\n" + body.substr(0, half) + "\r\n" +
                                 hex_size(body.size() - half) + "\r\n" + body.substr(half) +
                                 "\r\n0\r\nX-Trailer: of no meaning\r\n\r\n";
                      }));
    const auto response = trial.send_octets(message.octets, "a request in chunks");
    if (response.status() == 411)
        throw NotApplicable("it takes no chunks, as RFC 9112 section 6.3 allows");
    trial.expect_ok(response, message.signature);
    trial.expect_once(message.text);
}

}  // namespace

std::vector<Case> http_chunk_cases()
{
    return {
        {.id = "http-17",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "A chunk size of 2^64 and more, which would wrap to the chunk's, is refused",
         .run = refuses_chunks(wrapping_chunk),
         .mutants = {{"chunk-size-wraps", "refused"}},
         .descends_from = "RFC 9112 section 7.1; CVE-2002-0392, CVE-2013-2028, CVE-2015-3183"},
        {.id = "http-18",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "A chunk size with a minus sign is refused",
         .run = refuses_chunks([](const std::string& body) { return "-" + chunked(body); }),
         .mutants = {{"chunk-size-with-sign", "refused"}},
         .descends_from = "RFC 9112 section 7.1; CVE-2002-0392"},
        {.id = "http-19",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "A chunk size that begins with 0x is refused",
         .run = refuses_chunks([](const std::string& body) { return "0x" + chunked(body); }),
         .mutants = {{"chunk-size-with-prefix", "refused"}},
         .descends_from = "RFC 9112 section 7.1; CVE-2023-38697"},
        {.id = "http-20",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "An LF inside of a chunk extension is refused",
         .run = refuses_chunks(extension_with_lf),
         .mutants = {{"chunk-extension-unchecked", "refused"}},
         .descends_from = "RFC 9112 section 7.1.1; CVE-2023-38697, CVE-2025-55315"},
        {.id = "http-21",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "A chunk's line that ends by LF alone is refused",
         .run = refuses_chunks(chunk_line_ended_by_lf),
         .mutants = {{"chunk-line-ends-by-lf", "refused"}},
         .descends_from = "RFC 9112 section 7.1; CVE-2025-22871, CVE-2025-55315"},
        {.id = "http-22",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "A chunk that other octets than CRLF follow is refused",
         .run = refuses_chunks(chunk_with_other_end),
         .mutants = {{"chunk-end-unchecked", "refused"}},
         .descends_from = "RFC 9112 section 7.1"},
        {.id = "http-23",
         .clause = "HTTP-3",
         .level = Level::should,
         .profile = Profile::hardened,
         .proves = "What follows the last chunk and is no field is refused",
         .run = refuses_chunks(rubbish_behind),
         .mutants = {{"trailers-unchecked", "refused"}},
         .descends_from = "RFC 9112 sections 2.2, 7.1.2"},
        {.id = "http-24",
         .clause = "HTTP-4",
         .profile = Profile::hardened,
         .proves =
             "A whole message whose Content-Length promises 8 octets more than come has no effect",
         .run = unfinished_is_nothing(promised_more),
         .mutants = {{"cut-body-served", "refused"}},
         .descends_from = "RFC 9112 section 8"},
        {.id = "http-25",
         .clause = "HTTP-4",
         .profile = Profile::hardened,
         .proves =
             "A whole message in a chunk, behind which the last chunk doesn't come, has no effect",
         .run = unfinished_is_nothing(without_last_chunk),
         .mutants = {{"cut-body-served", "refused"}},
         .descends_from = "RFC 9112 section 8"},
        {.id = "http-26",
         .clause = "HTTP-3",
         .profile = Profile::hardened,
         .proves = "A body in chunks, with an extension and a trailer, is served",
         .run = accepts_chunks,
         .mutants = {{"chunks-refused", "accepted"}},
         .descends_from = "RFC 9112 section 7.1",
         .negative = false},
    };
}

}  // namespace entente::conformance
