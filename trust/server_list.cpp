#include "trust/server_list.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "protocol/utf8.hpp"

namespace entente::trust {

namespace {

constexpr std::string_view header =
    "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate,#origin\r\n";

struct Record {
    std::size_t line = 0;
    std::vector<std::string> fields;
    std::string fault;  // "" where it can be read
};

// Records of RFC 4180, one after the other. A fault costs the line that it stands on.
class Reader {
 public:
    explicit Reader(std::string_view csv) : rest_(csv) {}

    [[nodiscard]] std::optional<Record> next()
    {
        if (rest_.empty()) return std::nullopt;
        Record record;
        record.line = line_;
        const auto whole = rest_;
        do {
            record.fields.emplace_back();
            record.fault = read_field(record.fields.back());
        } while (record.fault.empty() && skip(','));
        if (record.fault.empty() && whole.size() - rest_.size() > max_list_line_octets)
            record.fault = "is longer than 8,192 octets";
        if (record.fault.empty()) {
            skip('\r');
            if (!rest_.empty() && !skip('\n')) record.fault = "has text behind a quote";
        }
        if (!record.fault.empty()) {
            // The quote that never ends must not swallow the lines behind it.
            rest_ = whole;
            line_ = record.line;
            drop_line();
            return record;
        }
        line_ += static_cast<std::size_t>(
            std::ranges::count(whole.substr(0, whole.size() - rest_.size()), '\n'));
        return record;
    }

 private:
    bool skip(char c)
    {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void drop_line()
    {
        const auto end = rest_.find('\n');
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        ++line_;
    }
    // What is wrong with it, "" where nothing is.
    std::string read_field(std::string& field)
    {
        if (!skip('"')) {
            const auto end = std::min(rest_.find_first_of(",\n"), rest_.size());
            field = rest_.substr(0, end);
            rest_.remove_prefix(end);
            if (rest_.starts_with('\n') && field.ends_with('\r')) field.pop_back();
            return field.find('"') == std::string::npos ? "" : "has a quote within a field";
        }
        while (field.size() <= max_list_line_octets) {
            const auto end = rest_.find('"');
            if (end == std::string_view::npos) return "has a quote that doesn't end";
            field += rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            if (!skip('"')) return "";
            field += '"';
        }
        return "is longer than 8,192 octets";
    }

    std::string_view rest_;
    std::size_t line_ = 1;
};

struct Columns {
    std::size_t domain = 0;
    std::size_t severity = 1;
    std::size_t comment = 4;
};

// Nothing where the record names no columns: it is the first entry then.
std::optional<Columns> columns_of(const Record& record)
{
    constexpr auto absent = static_cast<std::size_t>(-1);
    Columns columns{absent, absent, absent};
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
        std::string_view name = record.fields[i];
        if (name.starts_with('#')) name.remove_prefix(1);
        if (name == "domain" && columns.domain == absent) columns.domain = i;
        if (name == "severity" && columns.severity == absent) columns.severity = i;
        if (name == "public_comment" && columns.comment == absent) columns.comment = i;
    }
    if (columns.domain == absent || columns.severity == absent) return std::nullopt;
    return columns;
}

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const auto length = static_cast<unsigned char>(text.front()) < 0x80
                                ? 1
                                : protocol::utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string cut(std::string text)
{
    if (text.size() <= max_comment_octets) return text;
    auto end = max_comment_octets;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    text.resize(end);
    return text;
}

std::string quoted(std::string_view text)
{
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string field = "\"";
    for (const auto c : text) {
        if (c == '"') field += '"';
        field += c;
    }
    return field + "\"";
}

class ListBuilder {
 public:
    explicit ListBuilder(protocol::NameRules rules) : rules_(rules) {}

    void add(Record record, const Columns& columns)
    {
        const auto fault = record.fault.empty() ? take(record, columns) : record.fault;
        if (fault.empty()) return;
        ++list_.bad_lines;
        if (list_.bad.size() < max_bad_lines) list_.bad.push_back({record.line, fault});
    }
    [[nodiscard]] ServerList& list() { return list_; }

 private:
    std::string take(Record& record, const Columns& columns)
    {
        auto& fields = record.fields;
        if (fields.size() <= std::max(columns.domain, columns.severity)) return "has no severity";
        auto server = protocol::parse_server_name(fields[columns.domain], rules_);
        if (!server) return "has no server's name";
        const auto& severity = fields[columns.severity];
        if (severity == "noop") {
            ++list_.ignored;
            return "";
        }
        if (severity != "silence" && severity != "suspend")
            return "has another severity than silence, suspend and noop";
        const auto [known, is_new] = lines_.try_emplace(*server, record.line);
        if (!is_new) return "names a server of line " + std::to_string(known->second) + " again";
        if (list_.entries.size() >= max_list_entries) return "is beyond 100,000 entries";
        ListEntry entry{
            std::move(*server), severity == "silence" ? Tier::quarantined : Tier::blocked, {}};
        if (fields.size() > columns.comment)
            entry.comment = cut(std::move(fields[columns.comment]));
        list_.entries.push_back(std::move(entry));
        return "";
    }

    protocol::NameRules rules_;
    ServerList list_;
    std::unordered_map<protocol::ServerName, std::size_t> lines_;
};

}  // namespace

Result<ServerList> parse_server_list(std::string_view csv, protocol::NameRules rules)
{
    if (csv.size() > max_list_octets) return refuse(Code::too_large, "the list is over 8 MiB");
    if (!is_utf8(csv)) return refuse(Code::malformed, "the list is not UTF-8");
    if (csv.starts_with("\xef\xbb\xbf")) csv.remove_prefix(3);
    Reader reader(csv);
    ListBuilder builder(rules);
    Columns columns;
    bool is_first = true;
    while (auto record = reader.next()) {
        const bool is_empty =
            record->fault.empty() && record->fields.size() == 1 && record->fields.front().empty();
        if (is_empty) continue;
        if (std::exchange(is_first, false) && record->fault.empty()) {
            if (const auto named = columns_of(*record)) {
                columns = *named;
                continue;
            }
        }
        builder.add(std::move(*record), columns);
        if (builder.list().bad_lines > max_list_entries)
            return refuse(Code::malformed, "more than 100,000 lines are bad: that is no list");
    }
    return std::move(builder.list());
}

bool is_list_name(std::string_view text)
{
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= max_list_name_octets &&
           std::ranges::all_of(text, is_plain);
}

std::string write_server_list(const std::vector<ListEntry>& entries)
{
    std::string csv{header};
    for (const auto& entry : entries) {
        csv += entry.server.str();
        csv += entry.tier == Tier::quarantined ? ",silence," : ",suspend,";
        csv += "False,False," + quoted(entry.comment) + ",False," + entry.origin + "\r\n";
    }
    return csv;
}

}  // namespace entente::trust
