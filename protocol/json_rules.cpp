// A scanner for EVT-3 that keeps its own stack of at most 32 containers, so that no
// input can exhaust ours. Names are compared once per object, sorted, when it closes:
// comparing each with all others would let 64 KiB cost seconds.
#include "protocol/json_rules.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "protocol/ascii.hpp"
#include "protocol/utf8.hpp"

namespace entente::protocol {
namespace {

constexpr std::size_t max_pointer_octets = 200;

class Scanner {
 public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<JsonFault> scan()
    {
        skip_space();
        while (reason_.empty()) {
            scan_value();
            // A container that has just opened goes on with its first value.
            if (opened_ || !reason_.empty()) continue;
            while (reason_.empty() && depth_ > 0 && scan_behind_value()) {
            }
            if (depth_ == 0) break;
        }
        skip_space();
        if (reason_.empty() && at_ != text_.size()) stop("something stands behind the value");
        if (reason_.empty()) return std::nullopt;
        return JsonFault{std::min(at_, text_.size()), pointer(), reason_};
    }

 private:
    struct Frame {
        bool object = false;
        std::size_t first_name = 0;  // in names_
        std::uint64_t index = 0;     // of an array's element
    };

    void stop(std::string_view reason)
    {
        if (reason_.empty()) reason_ = reason;
    }

    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool take(char c)
    {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void skip_space()
    {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' ||
                                      text_[at_] == '\n' || text_[at_] == '\r')) {
            ++at_;
        }
    }

    // One scalar, or the opening of a container that isn't empty (then opened_).
    void scan_value()
    {
        opened_ = false;
        switch (peek()) {
            case '{': open(true); break;
            case '[': open(false); break;
            case '"': scan_string(nullptr); break;
            case 't': scan_word("true"); break;
            case 'f': scan_word("false"); break;
            case 'n': scan_word("null"); break;
            default: scan_number();
        }
    }

    void open(bool object)
    {
        if (depth_ == frames_.size()) return stop("over 32 containers deep");
        ++at_;
        frames_[depth_++] = Frame{object, names_.size(), 0};
        skip_space();
        if (take(object ? '}' : ']')) {
            --depth_;
            return;
        }
        opened_ = true;
        if (object) scan_name();
    }

    // Behind a value: to the next one of its container (false), or past the
    // container's end, which makes that the value behind which we stand (true).
    bool scan_behind_value()
    {
        skip_space();
        Frame& frame = frames_[depth_ - 1];
        if (take(',')) {
            skip_space();
            ++frame.index;
            if (frame.object) scan_name();
            return false;
        }
        if (!take(frame.object ? '}' : ']')) {
            stop("neither a comma nor the end of the container");
            return false;
        }
        if (frame.object) check_names(frame);
        if (reason_.empty()) --depth_;
        return true;
    }

    void scan_name()
    {
        std::string unescaped;
        const std::size_t start = at_ + 1;
        if (peek() != '"') return stop("a name was expected");
        const bool escaped = scan_string(&unescaped);
        if (!reason_.empty()) return;
        if (escaped) {
            kept_.push_back(std::move(unescaped));
            names_.emplace_back(kept_.back());
        } else {
            names_.push_back(text_.substr(start, at_ - 1 - start));
        }
        skip_space();
        if (!take(':')) return stop("a colon was expected");
        skip_space();
    }

    void check_names(const Frame& frame)
    {
        const auto first = names_.begin() + static_cast<std::ptrdiff_t>(frame.first_name);
        std::sort(first, names_.end());
        const auto twice = std::adjacent_find(first, names_.end());
        if (twice != names_.end()) {
            std::swap(*twice, names_.back());  // where pointer() looks
            return stop("the name stands twice");
        }
        names_.resize(frame.first_name);
    }

    // Past the closing quote; true where it held an escape. `unescaped`, if given,
    // is then the whole text.
    bool scan_string(std::string* unescaped)
    {
        ++at_;
        bool escaped = false;
        std::size_t plain = at_;  // where the run without escapes began
        while (at_ < text_.size()) {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c == '"') {
                if (escaped && unescaped != nullptr) unescaped->append(text_, plain, at_ - plain);
                ++at_;
                return escaped;
            }
            if (c == '\\') {
                if (unescaped != nullptr) unescaped->append(text_, plain, at_ - plain);
                escaped = true;
                if (!scan_escape(unescaped)) return true;
                plain = at_;
            } else if (c < 0x20) {
                stop("a control character in a string");
                return escaped;
            } else if (c < 0x80) {
                ++at_;
            } else {
                const std::size_t length = utf8_sequence_length(text_.substr(at_));
                if (length == 0) {
                    stop("not UTF-8");
                    return escaped;
                }
                at_ += length;
            }
        }
        stop("a string without an end");
        return escaped;
    }

    bool scan_escape(std::string* unescaped)
    {
        ++at_;
        const char c = peek();
        if (c == 'u') return scan_code_point(unescaped);
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        const auto letter = letters.find(c);
        if (at_ >= text_.size() || letter == std::string_view::npos) {
            stop("an unknown escape");
            return false;
        }
        if (unescaped != nullptr) unescaped->push_back(meanings[letter]);
        ++at_;
        return true;
    }

    // At the 'u' of \uXXXX; a pair of surrogates is one code point.
    bool scan_code_point(std::string* unescaped)
    {
        const int first = scan_four_digits();
        if (first < 0) return false;
        auto point = static_cast<std::uint32_t>(first);
        if (point >= 0xd800 && point <= 0xdfff) {
            int second = -1;
            if (point < 0xdc00 && take('\\') && peek() == 'u') {
                second = scan_four_digits();
                if (second < 0) return false;
            }
            if (second < 0xdc00 || second > 0xdfff) {
                stop("a lone surrogate");
                return false;
            }
            point = 0x10000U + ((point - 0xd800U) << 10U) +
                    (static_cast<std::uint32_t>(second) - 0xdc00U);
        }
        if (unescaped != nullptr) append_utf8(*unescaped, point);
        return true;
    }

    // Steps over 'u' and its digits; -1 with a reason where there aren't four.
    int scan_four_digits()
    {
        int value = 0;
        ++at_;
        for (int i = 0; i < 4; ++i) {
            const int digit = hex_value(peek());
            if (digit < 0) {
                stop("an unknown escape");
                return -1;
            }
            value = value * 16 + digit;
            ++at_;
        }
        return value;
    }

    void scan_word(std::string_view word)
    {
        if (!text_.substr(at_).starts_with(word)) return stop("a value was expected");
        at_ += word.size();
    }

    void scan_number()
    {
        const bool negative = take('-');
        const std::size_t start = at_;
        std::int64_t value = 0;
        while (is_digit(peek())) {
            value = value * 10 + (peek() - '0');
            if (value > max_json_integer) return stop("a number beyond 2^53-1");
            ++at_;
        }
        const std::size_t digits = at_ - start;
        if (digits == 0) return stop("a value was expected");
        if (digits > 1 && text_[start] == '0') return stop("a number with a leading zero");
        if (peek() == '.' || peek() == 'e' || peek() == 'E') {
            return stop("a number with a fraction or an exponent");
        }
        if (negative && value == 0) return stop("a negative zero");
    }

    // The place where the scan stopped (RFC 6901), cut short where it is long. Names
    // in it are complete, so that it is valid UTF-8 whatever the text was.
    [[nodiscard]] std::string pointer() const
    {
        std::string result;
        for (std::size_t i = 0; i < depth_; ++i) {
            const Frame& frame = frames_[i];
            std::string step;
            if (frame.object) {
                const std::size_t next = i + 1 < depth_ ? frames_[i + 1].first_name : names_.size();
                if (next == frame.first_name) break;  // not yet at its first name
                append_pointer_step(step, names_[next - 1]);
            } else {
                step = std::to_string(frame.index);
            }
            if (result.size() + step.size() > max_pointer_octets) return result + "/...";
            result += '/';
            result += step;
        }
        return result.empty() ? "(top)" : result;
    }

    static void append_pointer_step(std::string& out, std::string_view name)
    {
        if (name.size() > max_pointer_octets) {
            out.assign(max_pointer_octets + 1, '.');
            return;
        }
        for (const char c : name) {
            if (c == '~') {
                out += "~0";
            } else if (c == '/') {
                out += "~1";
            } else {
                out += c;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string_view reason_;
    bool opened_ = false;
    std::size_t depth_ = 0;
    std::array<Frame, max_json_depth> frames_{};
    std::vector<std::string_view> names_;  // of the objects that are open
    std::deque<std::string> kept_;         // names that held an escape
};

}  // namespace

Result<void> check_json(std::string_view text)
{
    const auto fault = find_json_fault(text);
    if (!fault) return {};
    return refuse(Code::malformed, fault->pointer + ": " + std::string{fault->reason});
}

std::optional<JsonFault> find_json_fault(std::string_view text)
{
    return Scanner{text}.scan();
}

void append_json_string(std::string& out, std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::string_view special = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    out.push_back('"');
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, plain, i - plain);
        plain = i + 1;
        out.push_back('\\');
        if (const auto at = special.find(text[i]); at != std::string_view::npos) {
            out.push_back(letters[at]);
        } else {
            out += "u00";
            out.push_back(digits[c >> 4U]);
            out.push_back(digits[c & 15U]);
        }
    }
    out.append(text, plain);
    out.push_back('"');
}

std::string json_string(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + 2);
    append_json_string(out, text);
    return out;
}

}  // namespace entente::protocol
