#include "conformance/wire/message.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>

#include <nlohmann/json.hpp>

namespace entente::conformance {

namespace {

bool same_name(std::string_view left, std::string_view right)
{
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

std::string with_fields(std::string first_line, const Fields& fields, std::string_view body)
{
    first_line += "\r\n";
    for (const auto& [name, value] : fields) first_line += name + ": " + value + "\r\n";
    first_line += "\r\n";
    first_line += body;
    return first_line;
}

}  // namespace

std::optional<std::string> field_of(const Fields& fields, std::string_view name)
{
    for (const auto& [given, value] : fields)
        if (same_name(given, name)) return value;
    return std::nullopt;
}

void set_field(Fields& fields, std::string_view name, std::string value)
{
    for (auto& [given, old] : fields)
        if (same_name(given, name)) {
            old = std::move(value);
            return;
        }
    fields.emplace_back(name, std::move(value));
}

void drop_field(Fields& fields, std::string_view name)
{
    std::erase_if(fields, [&](const auto& field) { return same_name(field.first, name); });
}

std::string serialise(const Request& request)
{
    return with_fields(request.method + " " + request.target + " HTTP/1.1", request.fields,
                       request.body);
}

std::string serialise(const Answer& answer)
{
    return with_fields("HTTP/1.1 " + std::to_string(answer.status) + " ", answer.fields,
                       answer.body);
}

std::optional<std::int64_t> parse_date(std::string_view text)
{
    std::tm parts{};
    const std::string copy(text);
    const auto* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return static_cast<std::int64_t>(::timegm(&parts)) * 1000;
}

nlohmann::json json_body(const Answer& answer)
{
    auto parsed = nlohmann::json::parse(answer.body, nullptr, false);
    return parsed.is_discarded() ? nlohmann::json() : parsed;
}

std::string problem_code(const nlohmann::json& problem)
{
    static constexpr std::string_view prefix = "urn:entente:problem:";
    if (!problem.is_object()) return {};
    const auto type = problem.find("type");
    if (type == problem.end() || !type->is_string()) return {};
    const auto& text = type->get_ref<const std::string&>();
    return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string();
}

std::string problem_code(const Answer& answer)
{
    return problem_code(json_body(answer));
}

}  // namespace entente::conformance
