#pragma once

// Whether a text is well-formed XML, in as far as reports use it: a declaration, elements, quoted
// attributes, text and the five references. It knows no comments, CDATA or document types.

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/report/visible.hpp"

namespace entente::conformance {

class XmlReading {
 public:
    explicit XmlReading(std::string_view text) : rest_(text) {}

    // Empty, or what is wrong.
    std::string fault()
    {
        if (!is_utf8(rest_)) return "it is no UTF-8";
        for (const char c : rest_)
            if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
                return "it holds a control character";
        for (const auto* forbidden : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
            if (rest_.find(forbidden) != std::string_view::npos) return "it holds a noncharacter";
        if (!take("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")) return "it isn't declared";
        bool had_root = false;
        while (!rest_.empty()) {
            if (rest_.front() != '<') {
                const auto text = rest_.substr(0, rest_.find('<'));
                rest_.remove_prefix(text.size());
                if (open_.empty() && text != "\n") return "text stands beside the root";
                if (text.find('>') != std::string_view::npos) return "a bare > in text";
                if (!references(text)) return "a bare & in text";
                continue;
            }
            if (open_.empty() && had_root) return "it has two roots";
            had_root = true;
            if (const auto wrong = tag(); !wrong.empty()) return wrong;
        }
        return open_.empty() ? (had_root ? "" : "it has no root") : "an element isn't closed";
    }

 private:
    bool take(std::string_view text)
    {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }

    std::string name()
    {
        std::size_t length = 0;
        while (length < rest_.size() && (rest_[length] >= 'a' && rest_[length] <= 'z')) ++length;
        std::string taken(rest_.substr(0, length));
        rest_.remove_prefix(length);
        return taken;
    }

    static bool references(std::string_view text)
    {
        static constexpr std::array<std::string_view, 5> known = {"&amp;", "&lt;", "&gt;", "&quot;",
                                                                  "&#39;"};
        for (auto at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
            bool is_known = false;
            for (const auto one : known) is_known = is_known || text.substr(at).starts_with(one);
            if (!is_known) return false;
        }
        return true;
    }

    std::string tag()
    {
        if (take("</")) {
            const auto closed = name();
            if (open_.empty() || open_.back() != closed) return "</" + closed + "> closes another";
            open_.pop_back();
            return take(">") ? "" : "a bad end tag";
        }
        take("<");
        const auto opened = name();
        if (opened.empty()) return "a tag without a name";
        std::set<std::string> attributes;
        while (take(" ")) {
            const auto attribute = name();
            if (attribute.empty() || !attributes.insert(attribute).second || !take("=\""))
                return "a bad attribute";
            const auto end = rest_.find('"');
            const auto value = rest_.substr(0, end);
            if (end == std::string_view::npos || value.find('<') != std::string_view::npos ||
                !references(value))
                return "a bad value of an attribute";
            rest_.remove_prefix(end + 1);
        }
        if (take("/>")) return {};
        open_.push_back(opened);
        return take(">") ? "" : "a bad tag";
    }

    std::string_view rest_;
    std::vector<std::string> open_;
};

inline std::string xml_fault(std::string_view text)
{
    return XmlReading(text).fault();
}

}  // namespace entente::conformance
