#include "protocol/loose_json.hpp"

#include <cstddef>
#include <cstdint>

#include <simdjson.h>

#include "protocol/ascii.hpp"
#include "protocol/utf8.hpp"

namespace entente::protocol::loose {
namespace {

// A cursor over the text; each reader leaves it behind what it read, or says false.
class Scanner {
 public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<std::vector<Member>> object()
    {
        std::vector<Member> members;
        skip_space();
        if (!take('{')) return std::nullopt;
        skip_space();
        if (!take('}')) {
            do {
                Member member;
                if (!name(member.name)) return std::nullopt;
                if (!value(member)) return std::nullopt;
                members.push_back(std::move(member));
                skip_space();
            } while (take(','));
            if (!take('}')) return std::nullopt;
        }
        skip_space();
        if (at_ != text_.size()) return std::nullopt;
        return members;
    }

 private:
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char c)
    {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool take(std::string_view word)
    {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }
    void skip_space()
    {
        while (at_ < text_.size() &&
               std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }

    // A member's name and the colon behind it.
    bool name(std::string& out)
    {
        skip_space();
        if (!string(out)) return false;
        skip_space();
        return take(':');
    }

    bool value(Member& member)
    {
        skip_space();
        const auto start = at_;
        if (peek() == '"') {
            member.is_string = true;
            return string(member.text);
        }
        const bool read = peek() == '{' || peek() == '[' ? container() : scalar();
        if (read) member.text = text_.substr(start, at_ - start);
        return read;
    }

    bool scalar()
    {
        if (peek() == '"') {
            std::string ignored;
            return string(ignored);
        }
        return take("true") || take("false") || take("null") || number();
    }

    // An array or object of any depth; `open_` is the stack of what must be closed.
    bool container()
    {
        const auto outer = open_.size();
        while (true) {
            skip_space();
            if (peek() == '{' || peek() == '[') {
                const char opened = text_[at_++];
                open_ += opened;
                skip_space();
                if (!take(closer(opened))) {
                    if (!before_value()) return false;
                    continue;
                }
                open_.pop_back();
            } else if (!scalar()) {
                return false;
            }
            // Behind a value: close what ends here, up to a comma or our own end.
            while (open_.size() > outer) {
                skip_space();
                if (take(',')) break;
                if (!take(closer(open_.back()))) return false;
                open_.pop_back();
            }
            if (open_.size() == outer) return true;
            if (!before_value()) return false;
        }
    }

    static char closer(char opened) { return opened == '{' ? '}' : ']'; }

    // In an object the name comes before the value, in an array nothing does.
    bool before_value()
    {
        if (open_.back() == '[') return true;
        std::string ignored;
        return name(ignored);
    }

    bool digits()
    {
        if (!is_digit(peek())) return false;
        while (is_digit(peek())) ++at_;
        return true;
    }

    bool number()
    {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (peek() == 'e' || peek() == 'E') {
            ++at_;
            if (!take('+')) take('-');
            return digits();
        }
        return true;
    }

    bool hex4(std::uint32_t& out)
    {
        if (text_.size() - at_ < 4) return false;
        out = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = text_[at_++];
            std::uint32_t digit = 0;
            if (is_digit(c))
                digit = static_cast<std::uint32_t>(c - '0');
            else if (c >= 'a' && c <= 'f')
                digit = static_cast<std::uint32_t>(c - 'a' + 10);
            else if (c >= 'A' && c <= 'F')
                digit = static_cast<std::uint32_t>(c - 'A' + 10);
            else
                return false;
            out = out << 4 | digit;
        }
        return true;
    }

    // Behind \u.
    bool code_unit(std::string& out)
    {
        std::uint32_t code = 0;
        if (!hex4(code)) return false;
        if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
            const auto before = at_;
            at_ += 2;
            std::uint32_t low = 0;
            if (!hex4(low)) return false;
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            } else {
                at_ = before;
            }
        }
        append_utf8(out, code);
        return true;
    }

    bool escape(std::string& out)
    {
        constexpr std::string_view from = "\"\\/bfnrt";
        constexpr std::string_view to = "\"\\/\b\f\n\r\t";
        if (take('u')) return code_unit(out);
        const auto which = at_ < text_.size() ? from.find(text_[at_]) : std::string_view::npos;
        if (which == std::string_view::npos) return false;
        out += to[which];
        ++at_;
        return true;
    }

    bool string(std::string& out)
    {
        if (!take('"')) return false;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') return true;
            if (static_cast<unsigned char>(c) < 0x20) return false;
            if (c != '\\') {
                out += c;
            } else if (!escape(out)) {
                return false;
            }
        }
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string open_;
};

}  // namespace

std::optional<std::vector<Member>> read_object(std::string_view text)
{
    if (!simdjson::validate_utf8(text.data(), text.size())) return std::nullopt;
    return Scanner(text).object();
}

}  // namespace entente::protocol::loose
