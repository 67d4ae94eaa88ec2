#include "conformance/reference/structured_fields.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "conformance/reference/refused.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance::reference {

namespace {

constexpr std::size_t max_integer_digits = 15;

[[noreturn]] void bad_field(const char* why)
{
    throw Refused{"malformed", std::string("a structured field: ") + why};
}

bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

class FieldReader {
 public:
    FieldReader(std::string_view text, const Flags& flags) : text_(text), flags_(flags) {}

    std::vector<DictionaryMember> read()
    {
        std::vector<DictionaryMember> members;
        for (;;) {
            auto member = read_member();
            const auto same = std::find_if(members.begin(), members.end(), [&](const auto& one) {
                return one.name == member.name;
            });
            if (same == members.end()) {
                members.push_back(std::move(member));
            } else {
                if (!flags_.has<"label-twice">()) bad_field("a name twice");
                *same = std::move(member);
            }
            if (at_ == text_.size()) return members;
            take(',');
            if (flags_.has<"not-canonical">())
                while (peek() == ' ' || peek() == '\t') ++at_;
            else
                take(' ');
        }
    }

 private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool is_one_of(std::string_view characters) const
    {
        return peek() != '\0' && characters.find(peek()) != std::string_view::npos;
    }

    void take(char wanted)
    {
        if (peek() != wanted || at_ >= text_.size()) bad_field("not in canonical form");
        ++at_;
    }

    void skip_spaces()
    {
        if (flags_.has<"not-canonical">())
            while (peek() == ' ') ++at_;
    }

    DictionaryMember read_member()
    {
        DictionaryMember member;
        member.name = read_key();
        if (peek() == '=') {
            take('=');
            const auto from = at_;
            if (peek() == '(') {
                member.is_list = true;
                member.list = read_list();
            } else {
                member.item = read_bare();
            }
            member.parameters = read_parameters();
            member.written = std::string(text_.substr(from, at_ - from));
        } else {
            member.item = {BareItem::Kind::boolean, "1", 1};
            member.parameters = read_parameters();
        }
        return member;
    }

    std::string read_key()
    {
        const auto from = at_;
        if (!is_lower(peek()) && peek() != '*') bad_field("a key that is none");
        while (is_lower(peek()) || is_digit(peek()) || is_one_of("_-.*")) ++at_;
        return std::string(text_.substr(from, at_ - from));
    }

    std::vector<Item> read_list()
    {
        std::vector<Item> items;
        take('(');
        skip_spaces();
        if (peek() == ')') {
            take(')');
            return items;
        }
        for (;;) {
            Item item;
            item.bare = read_bare();
            item.parameters = read_parameters();
            items.push_back(std::move(item));
            skip_spaces();
            if (peek() == ')') break;
            if (!flags_.has<"not-canonical">()) take(' ');
        }
        take(')');
        return items;
    }

    Parameters read_parameters()
    {
        Parameters parameters;
        while (peek() == ';') {
            take(';');
            skip_spaces();
            auto key = read_key();
            BareItem value{BareItem::Kind::boolean, "1", 1};
            if (peek() == '=') {
                take('=');
                value = read_bare();
                // Canonically a true parameter has no value.
                if (value.kind == BareItem::Kind::boolean && value.number == 1)
                    bad_field("not in canonical form");
            }
            if (find_parameter(parameters, key) != nullptr && !flags_.has<"parameter-twice">())
                bad_field("a parameter twice");
            parameters.emplace_back(std::move(key), std::move(value));
        }
        return parameters;
    }

    BareItem read_bare()
    {
        const char c = peek();
        if (c == '"') return read_text();
        if (c == ':') return read_octets();
        if (c == '?') return read_boolean();
        if (c == '-' || is_digit(c)) return read_number();
        if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '*') return read_token();
        bad_field("not an item");
    }

    BareItem read_text()
    {
        BareItem item{BareItem::Kind::text, {}, 0};
        take('"');
        for (;;) {
            const char c = peek();
            if (c < ' ' || c > '~') bad_field("a text with other characters");
            ++at_;
            if (c == '"') return item;
            if (c == '\\') {
                const char escaped = peek();
                if (escaped != '"' && escaped != '\\') bad_field("an escape that is none");
                item.value += escaped;
                ++at_;
            } else {
                item.value += c;
            }
        }
    }

    BareItem read_octets()
    {
        take(':');
        const auto end = text_.find(':', at_);
        if (end == std::string_view::npos) bad_field("octets without an end");
        std::string written(text_.substr(at_, end - at_));
        if (flags_.has<"not-canonical">())
            while (written.size() % 4 != 0) written += '=';
        const auto octets = from_base64(written);
        if (!octets) bad_field("octets that are no base64");
        at_ = end + 1;
        return {BareItem::Kind::octets, *octets, 0};
    }

    BareItem read_boolean()
    {
        take('?');
        const char c = peek();
        if (c != '0' && c != '1') bad_field("a boolean that is none");
        ++at_;
        return {BareItem::Kind::boolean, std::string(1, c), c - '0'};
    }

    BareItem read_number()
    {
        const auto from = at_;
        if (peek() == '-') ++at_;
        const auto digits_from = at_;
        while (is_digit(peek())) ++at_;
        const auto digits = text_.substr(digits_from, at_ - digits_from);
        if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) bad_field("not a number");
        BareItem item;
        if (peek() == '.') {
            take('.');
            const auto fraction_from = at_;
            while (is_digit(peek())) ++at_;
            const auto fraction = at_ - fraction_from;
            if (fraction == 0 || fraction > 3 || digits.size() > 12) bad_field("not a decimal");
            if (fraction > 1 && text_[at_ - 1] == '0') bad_field("not in canonical form");
            item.kind = BareItem::Kind::decimal;
        } else if (digits.size() > max_integer_digits) {
            if (!flags_.has<"created-wraps">()) bad_field("an integer of too many digits");
        } else if (digits == "0" && digits_from != from) {
            bad_field("not in canonical form");
        }
        item.value = std::string(text_.substr(from, at_ - from));
        item.number = std::strtoll(item.value.c_str(), nullptr, 10);
        return item;
    }

    BareItem read_token()
    {
        const auto from = at_;
        while (std::isalnum(static_cast<unsigned char>(peek())) != 0 ||
               is_one_of("!#$%&'*+-.^_`|~:/"))
            ++at_;
        return {BareItem::Kind::token, std::string(text_.substr(from, at_ - from)), 0};
    }

    std::string_view text_;
    const Flags& flags_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<DictionaryMember> read_dictionary(std::string_view text, const Flags& flags)
{
    return FieldReader(text, flags).read();
}

const BareItem* find_parameter(const Parameters& parameters, std::string_view name)
{
    for (const auto& [key, value] : parameters)
        if (key == name) return &value;
    return nullptr;
}

}  // namespace entente::conformance::reference
