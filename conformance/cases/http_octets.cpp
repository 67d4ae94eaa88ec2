#include "conformance/cases/http_octets.hpp"

#include <utility>

namespace entente::conformance {

namespace {

constexpr Millis expected_time{10'000};
constexpr Millis quiet_time{500};
constexpr Millis sending_time{10'000};
// A target that answers on and on is cut off.
constexpr std::size_t max_answers = 16;

}  // namespace

HttpHalves halves_of(const std::string& octets)
{
    const auto end = octets.find("\r\n\r\n") + 4;
    return {octets.substr(0, end), octets.substr(end)};
}

std::string with_lines(std::string head, const std::string& lines)
{
    return head.insert(head.size() - 2, lines);
}

std::string without_field(std::string head, const std::string& name)
{
    const auto from = head.find("\r\n" + name + ": ");
    if (from == std::string::npos) return head;
    const auto end = head.find("\r\n", from + 2);
    return head.erase(from, end - from);
}

std::string with_replaced(std::string text, const std::string& from, const std::string& to)
{
    const auto at = text.find(from);
    if (at == std::string::npos) throw CouldNotRun("there is no " + from + " to be changed");
    return text.replace(at, from.size(), to);
}

std::string length_line(const std::string& value)
{
    return "Content-Length: " + value + "\r\n";
}

std::string hex_size(std::size_t size)
{
    std::string digits;
    do {
        digits.insert(digits.begin(), "0123456789abcdef"[size % 16]);
        size /= 16;
    } while (size > 0);
    return digits;
}

std::string chunked(std::string_view octets)
{
    return hex_size(octets.size()) + "\r\n" + std::string(octets) + "\r\n0\r\n\r\n";
}

std::string reframed(const std::string& octets, const HttpLines& lines, const HttpCoding& coding)
{
    const auto [head, body] = halves_of(octets);
    return with_lines(without_field(head, "Content-Length"), lines(body)) + coding(body);
}

Defect framed(HttpLines lines, HttpCoding coding)
{
    return {.octets = [lines = std::move(lines), coding = std::move(coding)](
                          std::string& octets) { octets = reframed(octets, lines, coding); },
            .may_close = true};
}

Defect head_replaced(const std::string& from, const std::string& to)
{
    return {.octets =
                [=](std::string& octets) {
                    const auto [head, body] = halves_of(octets);
                    octets = with_replaced(head, from, to) + body;
                },
            .may_close = true};
}

SignedMessage signed_message(Trial& trial, const Defect& defect)
{
    SignedMessage made;
    made.text = trial.new_text();
    const auto event = trial.message_of(trial.user(), trial.channel(), made.text);
    std::string base;
    made.octets = trial.octets_of(trial.origin(), "POST", "/federation/v1/inbox",
                                  trial.submitting({event}), defect, base, made.signature);
    return made;
}

Conversation converse(Trial& trial, const std::string& octets, const std::string& what,
                      std::size_t expected)
{
    Connection connection(trial.door());
    Exchange exchange;
    exchange.at = trial.elapsed();
    exchange.what = what;
    exchange.sent = octets;
    auto* stream = connection.stream();
    if (stream == nullptr) throw CouldNotRun("no connection: " + connection.error());
    // A target may answer before it has read all, so a failed write is no verdict.
    static_cast<void>(stream->write(octets, in(sending_time)));
    Conversation heard;
    std::string rest;
    while (heard.answers.size() < max_answers) {
        const auto wait = heard.answers.size() < expected ? expected_time : quiet_time;
        auto result = read_answer(*stream, rest, in(wait));
        exchange.received += result.answer.raw;
        if (!result.error.empty()) {
            heard.ended = result.closed || result.reset;
            exchange.received = with_remark(exchange.received, result.error);
            break;
        }
        heard.answers.push_back(std::move(result.answer));
    }
    trial.note(std::move(exchange));
    return heard;
}

Response response_of(Answer answer)
{
    Response response;
    response.json = json_body(answer);
    response.answer = std::move(answer);
    return response;
}

std::function<void(Trial&)> smuggles_nothing(HttpFrame frame)
{
    return [frame = std::move(frame)](Trial& trial) {
        trial.control();
        const auto hidden = signed_message(trial);
        const auto outer = signed_message(trial);
        const auto heard = converse(trial, frame(outer.octets, hidden.octets),
                                    "a request, and one that is hidden in it or behind it");
        try {
            trial.expect_absent(hidden.text);
        } catch (const Broken& broken) {
            throw Broken(broken.assertion,
                         "the hidden request was read as one of its own, of " +
                             std::to_string(heard.answers.size()) +
                             " that were answered: the target's account can read its message");
        }
        trial.expect_still_serves();
    };
}

std::string read_interim(Stream& stream, std::string& rest, Millis time)
{
    const auto deadline = in(time);
    for (;;) {
        const auto end = rest.find("\r\n\r\n");
        if (end != std::string::npos) {
            auto head = rest.substr(0, end + 4);
            rest.erase(0, end + 4);
            return head;
        }
        auto got = stream.read(deadline);
        if (got.state != ReadState::octets) return {};
        rest += got.octets;
    }
}

}  // namespace entente::conformance
