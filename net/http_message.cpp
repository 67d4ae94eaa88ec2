#include "net/http_message.hpp"

#include "protocol/ascii.hpp"
#include "protocol/problem.hpp"

namespace entente::net {

namespace {

std::optional<std::string> percent_decoded(std::string_view text)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = protocol::hex_value(text[i + 1]), low = protocol::hex_value(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

}  // namespace

std::optional<std::string_view> Request::field(std::string_view name) const
{
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::optional<std::string> Request::parameter(std::string_view name) const
{
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        const auto equals = pair.find('=');
        const auto key = percent_decoded(pair.substr(0, equals));
        if (key && *key == name) {
            if (equals == std::string_view::npos) return std::string();
            return percent_decoded(pair.substr(equals + 1));
        }
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return std::nullopt;
}

// Section 9 promises Retry-After with 429 and 503, and the peer waits that long; without it
// every sender would fall back on a guess of its own.
Response json_answer(std::string body)
{
    Response response;
    response.body = std::move(body);
    return response;
}

Response problem_response(const Error& error, protocol::Millis now)
{
    Response response;
    response.status = protocol::http_status(error.code);
    Error told = error;
    const bool is_temporary = response.status == 429 || response.status == 503;
    if (is_temporary && told.retry_after <= 0) told.retry_after = usual_retry_after_s;
    response.content_type = protocol::problem_content_type;
    response.body = protocol::problem_json(told, now);
    if (told.retry_after > 0) {
        response.fields.emplace_back("Retry-After", std::to_string(told.retry_after));
    }
    return response;
}

}  // namespace entente::net
