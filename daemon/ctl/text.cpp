#include "daemon/ctl/text.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <ostream>

#include <nlohmann/json.hpp>

namespace entente::daemon::ctl {

void print_table(std::ostream& out, const std::vector<Row>& rows)
{
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        out << line << "\n";
    }
}

std::string duration(protocol::Millis time)
{
    const auto seconds = std::max<protocol::Millis>(time, 0) / 1000;
    if (seconds < 60) return std::to_string(seconds) + " s";
    if (seconds < 3'600) return std::to_string(seconds / 60) + " min";
    if (seconds < 86'400) return std::to_string(seconds / 3'600) + " h";
    return std::to_string(seconds / 86'400) + " d";
}

std::string octets_text(std::uintmax_t octets)
{
    constexpr std::uintmax_t step = 1024;
    if (octets < step) return std::to_string(octets) + " B";
    const char* const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    auto tenths = octets * 10 / step;
    for (; tenths >= 10 * step && unit + 1 < std::size(units); ++unit) tenths /= step;
    const auto whole = std::to_string(tenths / 10);
    const auto rest = tenths < 100 ? "." + std::to_string(tenths % 10) : std::string();
    return whole + rest + " " + units[unit];
}

std::string time_text(protocol::Millis at)
{
    const auto seconds = static_cast<std::time_t>(at / 1000);
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return std::to_string(at) + " ms";
    char text[64];
    const auto length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    auto fraction = std::to_string(at % 1000);
    fraction.insert(0, 3 - std::min<std::size_t>(fraction.size(), 3), '0');
    return std::string(text, length) + "." + fraction + " UTC";
}

std::string harmless(std::string_view text)
{
    const nlohmann::json value = text;
    auto escaped = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    // The quotes and backslashes of the text itself stay as they are.
    escaped = escaped.substr(1, escaped.size() - 2);
    std::string shown;
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        const bool is_plain_escape = escaped[i] == '\\' && i + 1 < escaped.size() &&
                                     (escaped[i + 1] == '"' || escaped[i + 1] == '\\');
        if (is_plain_escape) ++i;
        shown += escaped[i];
    }
    return shown;
}

std::string query_text(std::string_view text)
{
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        out += {'%', digits[octet >> 4U], digits[octet & 0xfU]};
    }
    return out;
}

}  // namespace entente::daemon::ctl
