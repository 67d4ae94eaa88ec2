#include "conformance/reference/json_rules.hpp"

#include <cstdlib>
#include <set>

#include "conformance/reference/refused.hpp"

namespace entente::conformance::reference {

namespace {

constexpr int max_containers = 32;
constexpr std::int64_t max_integer = 9'007'199'254'740'991;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

[[noreturn]] void bad_json(const char* why)
{
    throw Refused{"malformed", std::string("JSON: ") + why};
}

void append_utf8(std::string& text, std::uint32_t point)
{
    const auto put = [&](std::uint32_t octet) { text += static_cast<char>(octet); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0 | (point >> 6));
        put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put(0xE0 | (point >> 12));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    } else {
        put(0xF0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3F));
        put(0x80 | ((point >> 6) & 0x3F));
        put(0x80 | (point & 0x3F));
    }
}

bool is_high_surrogate(std::uint32_t point)
{
    return point >= 0xD800 && point < 0xDC00;
}

bool is_low_surrogate(std::uint32_t point)
{
    return point >= 0xDC00 && point < 0xE000;
}

class JsonReader {
 public:
    JsonReader(std::string_view text, JsonPlace place, const Flags& flags)
        : rest_(text), place_(place), flags_(flags)
    {
    }

    nlohmann::json read()
    {
        if (rest_.starts_with(byte_order_mark)) {
            if (!allows<"json-bom-skipped">()) bad_json("a byte order mark");
            rest_.remove_prefix(byte_order_mark.size());
        }
        auto value = read_value(0);
        skip_blanks();
        if (!rest_.empty() && !may_go_on()) bad_json("octets behind the value");
        return value;
    }

 private:
    template <FlagName Name>
    bool allows() const
    {
        return place_ == JsonPlace::entry || flags_.has<Name>();
    }

    bool may_go_on() const
    {
        switch (place_) {
            case JsonPlace::text: return flags_.has<"json-trailing-octets">();
            case JsonPlace::body: return flags_.has<"rubbish-behind-json">();
            case JsonPlace::document: return flags_.has<"document-json-lenient">();
            case JsonPlace::entry: return false;
        }
        return false;
    }

    void skip_blanks()
    {
        while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != rest_.npos)
            rest_.remove_prefix(1);
    }

    bool take_if(char wanted)
    {
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void take(std::string_view wanted)
    {
        if (!rest_.starts_with(wanted)) bad_json("not a value");
        rest_.remove_prefix(wanted.size());
    }

    // `within` containers.
    nlohmann::json read_value(int within)
    {
        skip_blanks();
        if (rest_.empty()) bad_json("it ends too early");
        switch (rest_.front()) {
            case '{': return read_object(within + 1);
            case '[': return read_array(within + 1);
            case '"': return read_string();
            case 't': take("true"); return true;
            case 'f': take("false"); return false;
            case 'n': take("null"); return nullptr;
            default: return read_number();
        }
    }

    void check_depth(int within)
    {
        if (within > max_containers && !allows<"json-depth-unbounded">())
            bad_json("too many containers inside one another");
        if (within > max_containers / 2 && flags_.has<"json-depth-too-narrow">())
            bad_json("too many containers inside one another");
    }

    nlohmann::json read_object(int within)
    {
        check_depth(within);
        take("{");
        auto object = nlohmann::json::object();
        std::set<std::string> names;
        skip_blanks();
        if (take_if('}')) return object;
        for (;;) {
            skip_blanks();
            const auto from = rest_;
            auto name = read_string();
            const auto written = std::string(from.substr(0, from.size() - rest_.size()));
            skip_blanks();
            take(":");
            const bool is_new =
                names.insert(flags_.has<"json-names-as-written">() ? written : name).second;
            const bool is_needed = within == 1 && (name == "sender" || name == "channel");
            if (!is_new && (is_needed || !allows<"json-duplicate-names">()) &&
                !flags_.has<"json-duplicate-names">())
                bad_json("a name twice in an object");
            auto value = read_value(within);
            object[std::move(name)] = std::move(value);
            skip_blanks();
            if (take_if('}')) return object;
            take(",");
        }
    }

    nlohmann::json read_array(int within)
    {
        check_depth(within);
        take("[");
        auto array = nlohmann::json::array();
        skip_blanks();
        if (take_if(']')) return array;
        for (;;) {
            array.push_back(read_value(within));
            skip_blanks();
            if (take_if(']')) return array;
            take(",");
        }
    }

    std::string read_string()
    {
        take("\"");
        std::string text;
        for (;;) {
            if (rest_.empty()) bad_json("it ends within a text");
            const auto octet = static_cast<unsigned char>(rest_.front());
            if (octet == '"') {
                rest_.remove_prefix(1);
                return text;
            }
            if (octet < 0x20 && !allows<"json-bare-controls">()) bad_json("a control character");
            if (octet == '\\') {
                rest_.remove_prefix(1);
                read_escape(text);
            } else if (octet < 0x80) {
                text += rest_.front();
                rest_.remove_prefix(1);
            } else {
                read_utf8(text);
            }
        }
    }

    std::uint32_t read_hex()
    {
        if (rest_.size() < 4) bad_json("an escape is cut");
        std::uint32_t point = 0;
        for (int digit = 0; digit < 4; ++digit) {
            const char c = rest_.front();
            const auto place = std::string_view("0123456789abcdefABCDEF").find(c);
            if (place == std::string_view::npos) bad_json("an escape has no four digits");
            point = point * 16 + static_cast<std::uint32_t>(place < 16 ? place : place - 6);
            rest_.remove_prefix(1);
        }
        return point;
    }

    void read_escape(std::string& text)
    {
        if (rest_.empty()) bad_json("it ends within an escape");
        static constexpr std::string_view shorts = "\"\\/bfnrt";
        static constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
        const char c = rest_.front();
        rest_.remove_prefix(1);
        if (c != 'u') {
            const auto place = shorts.find(c);
            if (place == std::string_view::npos) bad_json("an unknown escape");
            text += meant[place];
            return;
        }
        auto point = read_hex();
        if (is_high_surrogate(point) && rest_.starts_with("\\u")) {
            const auto before = rest_;
            rest_.remove_prefix(2);
            const auto low = read_hex();
            if (is_low_surrogate(low) && !flags_.has<"json-escapes-refused">()) {
                append_utf8(text, 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00));
                return;
            }
            rest_ = before;
        }
        if (is_high_surrogate(point) || is_low_surrogate(point)) {
            if (!allows<"json-lone-surrogates">()) bad_json("a lone surrogate");
            point = 0xFFFD;
        }
        append_utf8(text, point);
    }

    // One code point of two octets or more, in its shortest form.
    void read_utf8(std::string& text)
    {
        const auto octet = [&](std::size_t at) {
            return at < rest_.size() ? static_cast<unsigned char>(rest_[at]) : 0U;
        };
        const auto first = octet(0);
        const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
        std::uint32_t point = first & (0xFFU >> (length + 1));
        bool right = first >= 0xC2 && first <= 0xF4;
        for (std::size_t at = 1; at < length; ++at) {
            right = right && (octet(at) & 0xC0U) == 0x80U;
            point = (point << 6) | (octet(at) & 0x3FU);
        }
        right = right &&
                point >= (length == 4   ? 0x10000U
                          : length == 3 ? 0x800U
                                        : 0x80U) &&
                point <= 0x10FFFF && !is_high_surrogate(point) && !is_low_surrogate(point);
        if (!right) {
            if (!allows<"json-any-octets">()) bad_json("no UTF-8");
            text += "\xEF\xBF\xBD";
            rest_.remove_prefix(1);
            return;
        }
        text += rest_.substr(0, length);
        rest_.remove_prefix(length);
    }

    nlohmann::json read_number()
    {
        const auto end = std::min(rest_.find_first_not_of("+-.0123456789eE"), rest_.size());
        const std::string written(rest_.substr(0, end));
        rest_.remove_prefix(end);
        const bool negative = written.starts_with('-');
        const auto digits = written.substr(negative ? 1 : 0);
        const bool whole = !digits.empty() &&
                           digits.find_first_not_of("0123456789") == std::string::npos &&
                           (digits == "0" || digits[0] != '0');
        if (!whole) {
            const bool is_number = !digits.empty() && allows<"json-any-number">();
            if (is_number || flags_.has<"json-lenient">()) return 0;
            bad_json("not an integer");
        }
        if (negative && digits == "0" && !allows<"json-negative-zero">())
            bad_json("a negative zero");
        const auto value =
            digits.size() > 18 ? max_integer + 1 : std::strtoll(digits.c_str(), nullptr, 10);
        if (value > max_integer && !allows<"json-any-integer">())
            bad_json("an integer beyond 2^53-1");
        if (value > max_integer / 2 && flags_.has<"json-integers-too-narrow">())
            bad_json("an integer that is too large");
        return negative ? -value : value;
    }

    std::string_view rest_;
    JsonPlace place_;
    const Flags& flags_;
};

}  // namespace

nlohmann::json read_json(std::string_view text, const Flags& flags, JsonPlace place)
{
    if (place == JsonPlace::body && flags.has<"json-body-unchecked">()) {
        auto body = nlohmann::json::parse(text, nullptr, false);
        if (!body.is_discarded()) return body;
    }
    return JsonReader(text, place, flags).read();
}

const nlohmann::json& member_of(const nlohmann::json& object, const char* name)
{
    if (!object.is_object()) throw Refused{"malformed", "not an object"};
    const auto found = object.find(name);
    if (found == object.end())
        throw Refused{"malformed", std::string("the member ") + name + " is missing"};
    return *found;
}

std::string text_of(const nlohmann::json& object, const char* name)
{
    const auto& member = member_of(object, name);
    if (!member.is_string()) throw Refused{"malformed", std::string(name) + " is no text"};
    return member.get<std::string>();
}

std::int64_t number_of(const nlohmann::json& object, const char* name)
{
    const auto& member = member_of(object, name);
    if (!member.is_number_integer())
        throw Refused{"malformed", std::string(name) + " is no integer"};
    return member.get<std::int64_t>();
}

const nlohmann::json& array_of(const nlohmann::json& object, const char* name)
{
    const auto& member = member_of(object, name);
    if (!member.is_array()) throw Refused{"malformed", std::string(name) + " is no array"};
    return member;
}

const nlohmann::json& array_if_any(const nlohmann::json& object, const char* name)
{
    static const auto nothing = nlohmann::json::array();
    if (!object.is_object()) throw Refused{"malformed", "not an object"};
    return object.contains(name) ? array_of(object, name) : nothing;
}

}  // namespace entente::conformance::reference
