// RFC 9651 section 4.2 (parsing) and 4.1 (serialising), straight after the RFC's
// algorithms. No recursion: the grammar nests one level. Repeated keys are found
// through an index, since a field may hold thousands.
#include "protocol/structured_fields.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "protocol/ascii.hpp"
#include "protocol/octets.hpp"
#include "protocol/utf8.hpp"

namespace entente::protocol::sf {
namespace {

constexpr bool is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

constexpr bool is_token_character(char c)
{
    return is_alpha(c) || is_digit(c) ||
           std::string_view{"!#$%&'*+-.^_`|~:/"}.find(c) != std::string_view::npos;
}

constexpr bool is_key_character(char c)
{
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}

constexpr int lower_hex_value(char c)
{
    if (is_digit(c)) return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Puts members into `target`, a later one in place of an earlier one of its key. The
// views stay valid: they point into the text that is being parsed.
template <class Value>
class Keyed {
 public:
    explicit Keyed(std::vector<std::pair<std::string, Value>>& target) : target_(target) {}

    void put(std::string_view key, Value value)
    {
        if (const auto place = find(key)) {
            target_[*place].second = std::move(value);
            return;
        }
        if (target_.size() >= few) places_.emplace(key, target_.size());
        target_.emplace_back(std::string{key}, std::move(value));
    }

 private:
    static constexpr std::size_t few = 16;

    [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const
    {
        const std::size_t first = std::min(target_.size(), few);
        for (std::size_t i = 0; i < first; ++i) {
            if (target_[i].first == key) return i;
        }
        const auto place = places_.find(key);
        if (place == places_.end()) return std::nullopt;
        return place->second;
    }

    std::vector<std::pair<std::string, Value>>& target_;
    std::unordered_map<std::string_view, std::size_t> places_;  // of those behind the first few
};

class Parser {
 public:
    explicit Parser(std::string_view text) : text_(text) { skip_spaces(); }

    // Nothing but spaces may stand behind what was parsed.
    template <class T>
    Result<T> finish(Result<T> parsed)
    {
        if (!parsed) return parsed;
        skip_spaces();
        if (!at_end()) return refused("something stands behind the field's value");
        return parsed;
    }

    Result<List> list()
    {
        List members;
        while (!at_end()) {
            auto parsed = member();
            if (!parsed) return fail(std::move(parsed));
            members.push_back(std::move(*parsed));
            if (at_end_of_members()) break;
            if (auto next = comma(); !next) return fail(std::move(next));
        }
        return members;
    }

    Result<Dictionary> dictionary()
    {
        Dictionary members;
        Keyed<Member> keyed{members};
        while (!at_end()) {
            auto name = key();
            if (!name) return fail(std::move(name));
            Member value;
            if (take('=')) {
                auto parsed = member();
                if (!parsed) return fail(std::move(parsed));
                value = std::move(*parsed);
            } else {
                auto parsed = parameters();
                if (!parsed) return fail(std::move(parsed));
                value = Item{true, std::move(*parsed)};
            }
            keyed.put(*name, std::move(value));
            if (at_end_of_members()) break;
            if (auto next = comma(); !next) return fail(std::move(next));
        }
        return members;
    }

    Result<Item> item()
    {
        auto value = bare_item();
        if (!value) return fail(std::move(value));
        auto with = parameters();
        if (!with) return fail(std::move(with));
        return Item{std::move(*value), std::move(*with)};
    }

 private:
    static Failure refused(std::string_view why)
    {
        return refuse(Code::malformed, "structured field: " + std::string{why});
    }

    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

    bool take(char c)
    {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void skip_spaces()
    {
        while (take(' ')) {
        }
    }

    void skip_whitespace()
    {
        while (take(' ') || take('\t')) {
        }
    }

    bool at_end_of_members()
    {
        skip_whitespace();
        return at_end();
    }

    Result<void> comma()
    {
        if (!take(',')) return refused("a comma was expected");
        skip_whitespace();
        if (at_end()) return refused("a comma stands at the end");
        return {};
    }

    Result<Member> member()
    {
        if (peek() == '(') {
            auto parsed = inner_list();
            if (!parsed) return fail(std::move(parsed));
            return Member{std::move(*parsed)};
        }
        auto parsed = item();
        if (!parsed) return fail(std::move(parsed));
        return Member{std::move(*parsed)};
    }

    Result<InnerList> inner_list()
    {
        InnerList list;
        ++at_;
        while (!at_end()) {
            skip_spaces();
            if (take(')')) {
                auto with = parameters();
                if (!with) return fail(std::move(with));
                list.parameters = std::move(*with);
                return list;
            }
            auto parsed = item();
            if (!parsed) return fail(std::move(parsed));
            list.items.push_back(std::move(*parsed));
            if (peek() != ' ' && peek() != ')') return refused("a space or ) was expected");
        }
        return refused("an inner list without an end");
    }

    Result<Parameters> parameters()
    {
        Parameters result;
        Keyed<BareItem> keyed{result};
        while (take(';')) {
            skip_spaces();
            auto name = key();
            if (!name) return fail(std::move(name));
            BareItem value = true;
            if (take('=')) {
                auto parsed = bare_item();
                if (!parsed) return fail(std::move(parsed));
                value = std::move(*parsed);
            }
            keyed.put(*name, std::move(value));
        }
        return result;
    }

    Result<std::string_view> key()
    {
        const std::size_t start = at_;
        if (!is_lower(peek()) && peek() != '*') return refused("a key was expected");
        while (is_key_character(peek())) ++at_;
        return text_.substr(start, at_ - start);
    }

    Result<BareItem> bare_item()
    {
        const char c = peek();
        if (c == '-' || is_digit(c)) return number();
        if (c == '"') return string();
        if (c == '*' || is_alpha(c)) return token();
        if (c == ':') return bytes();
        if (c == '?') return boolean();
        if (c == '@') return date();
        if (c == '%') return display_string();
        return refused("a value was expected");
    }

    Result<BareItem> number()
    {
        const bool negative = take('-');
        const std::size_t start = at_;
        std::int64_t value = 0;
        while (is_digit(peek())) {
            if (at_ - start == 15) return refused("an integer of over 15 digits");
            value = value * 10 + (peek() - '0');
            ++at_;
        }
        const std::size_t digits = at_ - start;
        if (digits == 0) return refused("a number without digits");
        if (!take('.')) return BareItem{negative ? -value : value};

        if (digits > 12) return refused("a decimal of over 12 digits before the point");
        const std::size_t point = at_;
        while (is_digit(peek())) {
            if (at_ - point == 3) return refused("a decimal of over 3 digits behind the point");
            value = value * 10 + (peek() - '0');
            ++at_;
        }
        const std::size_t behind = at_ - point;
        if (behind == 0) return refused("a decimal that ends with its point");
        for (std::size_t i = behind; i < 3; ++i) value *= 10;
        return BareItem{Decimal{negative ? -value : value}};
    }

    Result<BareItem> string()
    {
        std::string value;
        ++at_;
        while (!at_end()) {
            char c = text_[at_++];
            if (c == '"') return BareItem{std::move(value)};
            if (c == '\\') {
                c = peek();
                if (c != '"' && c != '\\') return refused("an unknown escape");
                ++at_;
            } else if (c < 0x20 || c > 0x7e) {
                return refused("a character that strings can't hold");
            }
            value.push_back(c);
        }
        return refused("a string without an end");
    }

    Result<BareItem> token()
    {
        const std::size_t start = at_;
        while (is_token_character(peek())) ++at_;
        return BareItem{Token{std::string{text_.substr(start, at_ - start)}}};
    }

    Result<BareItem> bytes()
    {
        const auto end = text_.find(':', ++at_);
        if (end == std::string_view::npos) return refused("a byte sequence without an end");
        auto octets = from_base64(text_.substr(at_, end - at_));
        if (!octets) return fail(std::move(octets));
        at_ = end + 1;
        return BareItem{Bytes{std::move(*octets)}};
    }

    Result<BareItem> boolean()
    {
        ++at_;
        if (take('1')) return BareItem{true};
        if (take('0')) return BareItem{false};
        return refused("a boolean that is neither ?0 nor ?1");
    }

    Result<BareItem> date()
    {
        ++at_;
        auto value = number();
        if (!value) return value;
        const auto* const seconds = std::get_if<std::int64_t>(&*value);
        if (seconds == nullptr) return refused("a date with a fraction");
        return BareItem{Date{*seconds}};
    }

    Result<BareItem> display_string()
    {
        std::string value;
        ++at_;
        if (!take('"')) return refused("a display string without a quote");
        while (!at_end()) {
            const char c = text_[at_++];
            if (c == '"') {
                if (!is_utf8(value)) return refused("a display string that isn't UTF-8");
                return BareItem{DisplayString{std::move(value)}};
            }
            if (c < 0x20 || c > 0x7e) return refused("a character that display strings can't hold");
            if (c != '%') {
                value.push_back(c);
                continue;
            }
            if (text_.size() - at_ < 2) break;
            const int high = lower_hex_value(text_[at_]);
            const int low = lower_hex_value(text_[at_ + 1]);
            if (high < 0 || low < 0) return refused("an unknown escape");
            value.push_back(static_cast<char>(static_cast<std::uint8_t>(high * 16 + low)));
            at_ += 2;
        }
        return refused("a display string without an end");
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<Item> parse_item(std::string_view text)
{
    Parser parser{text};
    return parser.finish(parser.item());
}

Result<List> parse_list(std::string_view text)
{
    Parser parser{text};
    return parser.finish(parser.list());
}

Result<Dictionary> parse_dictionary(std::string_view text)
{
    Parser parser{text};
    return parser.finish(parser.dictionary());
}

}  // namespace entente::protocol::sf
