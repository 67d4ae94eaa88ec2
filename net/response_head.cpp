#include "net/response_head.hpp"

#include <array>
#include <ctime>

#include <boost/beast/http/status.hpp>

namespace entente::net {

namespace {

void append_field(std::string& text, std::string_view name, std::string_view value)
{
    // A line end inside would start a field, or an answer, of somebody else's making.
    if ((name.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) ||
        (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)) {
        return;
    }
    text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string http_date(protocol::Seconds time)
{
    static constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                        "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = static_cast<std::time_t>(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                  months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                  parts.tm_hour, parts.tm_min, parts.tm_sec);
    return text.data();
}

std::string_view reason_phrase(int status)
{
    const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
    const auto text = boost::beast::http::obsolete_reason(known);
    return {text.data(), text.size()};
}

std::string response_octets(const Response& response, AnswerForm form, std::string_view date)
{
    const bool bodiless = response.status == 204 || response.status == 304;
    std::string text;
    text.reserve(256 + response.body.size());
    text.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    text.append(reason_phrase(response.status)).append("\r\n");
    append_field(text, "Date", date);
    if (!bodiless) {
        if (!response.content_type.empty()) {
            append_field(text, "Content-Type", response.content_type);
        }
        append_field(text, "Content-Length", std::to_string(response.body.size()));
    }
    for (const auto& [name, value] : response.fields) append_field(text, name, value);
    if (form.close) append_field(text, "Connection", "close");
    text.append("\r\n");
    if (!bodiless && !form.head_only) text.append(response.body);
    return text;
}

}  // namespace entente::net
