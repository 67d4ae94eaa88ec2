#include "trust/policy/rehearsal.hpp"

#include <algorithm>
#include <utility>

#include "protocol/json_rules.hpp"
#include "protocol/raw_json.hpp"

namespace entente::trust::policy {
namespace {

namespace raw = protocol::raw;
using protocol::append_json_string;

constexpr auto scopes_begin = static_cast<std::size_t>(Attribute::scope_category);

void append_value(std::string& out, const Request& request, Attribute attribute)
{
    const auto& row = row_of(attribute);
    switch (row.type) {
        case Type::word:
            append_json_string(out, row.words[static_cast<std::size_t>(request.value(attribute))]);
            break;
        case Type::flag: out += request.value(attribute) != 0 ? "true" : "false"; break;
        case Type::number: out += std::to_string(request.value(attribute)); break;
        case Type::text: append_json_string(out, request.text(attribute)); break;
        case Type::texts:
            out += '[';
            for (const auto group : request.groups()) {
                if (out.back() != '[') out += ',';
                append_json_string(out, group);
            }
            out += ']';
            break;
    }
}

// The members of those attributes in [from, to) that are present.
void append_members(std::string& out, const Request& request, std::size_t from, std::size_t to)
{
    out += '{';
    for (auto at = from; at < to; ++at) {
        const auto attribute = static_cast<Attribute>(at);
        if (!request.has(attribute)) continue;
        if (out.back() != '{') out += ',';
        append_json_string(out, at < scopes_begin
                                    ? row_of(attribute).name
                                    : to_text(static_cast<Scope>(at - scopes_begin + 1)));
        out += ':';
        append_value(out, request, attribute);
    }
    out += '}';
}

protocol::Failure unreadable(std::string_view what)
{
    return refuse(Code::malformed, "a recorded decision: " + std::string(what));
}

Result<void> take_groups(RecordedRequest& record, std::string_view value)
{
    if (!raw::is_array(value)) return unreadable("groups are no list");
    for (raw::Items items{value}; items.next();) {
        if (!raw::is_string(items.value())) return unreadable("a group is no text");
        if (record.groups.size() == max_record_groups) return unreadable("too many groups");
        record.groups.push_back(record.texts.emplace_back(raw::unescaped(items.value())));
    }
    record.request.groups(record.groups);
    return {};
}

Result<void> take_word(RecordedRequest& record, Attribute attribute, std::string_view value)
{
    const auto& row = row_of(attribute);
    const auto written = row.type == Type::flag ? std::string(value) : raw::unescaped(value);
    const auto found = std::find(row.words.begin(), row.words.end(), written);
    if (found == row.words.end()) return unreadable("an unknown word");
    const auto at = found - row.words.begin();
    if (row.type == Type::flag) {
        record.request.flag(attribute, at != 0);
    } else {
        record.request.word_at(attribute, static_cast<std::size_t>(at));
    }
    return {};
}

Result<void> take_value(RecordedRequest& record, Attribute attribute, std::string_view value)
{
    const auto& row = row_of(attribute);
    if ((row_of(record.request.action()).knows & bit(attribute)) == 0)
        return unreadable("an attribute that the action doesn't have");
    switch (row.type) {
        case Type::word:
        case Type::flag: return take_word(record, attribute, value);
        case Type::texts: return take_groups(record, value);
        case Type::number: {
            const auto number = raw::integer(value);
            if (!number) return unreadable("a number was expected");
            record.request.number(attribute, *number);
            return {};
        }
        case Type::text: break;
    }
    if (!raw::is_string(value)) return unreadable("a text was expected");
    record.request.text(attribute, record.texts.emplace_back(raw::unescaped(value)));
    return {};
}

struct Members {
    std::string_view point, action, outcome, rule, scope, attributes;
};

Result<Members> read_members(std::string_view json)
{
    Members members;
    for (raw::Items items{json}; items.next();) {
        if (items.is_named("point")) {
            members.point = items.value();
        } else if (items.is_named("action")) {
            members.action = items.value();
        } else if (items.is_named("outcome")) {
            members.outcome = items.value();
        } else if (items.is_named("rule")) {
            members.rule = items.value();
        } else if (items.is_named("scope")) {
            members.scope = items.value();
        } else if (items.is_named("attributes")) {
            members.attributes = items.value();
        } else {
            return unreadable("an unknown member");
        }
    }
    const bool whole = raw::is_string(members.point) && raw::is_string(members.action) &&
                       raw::is_object(members.attributes) &&
                       (members.scope.empty() || raw::is_object(members.scope));
    if (!whole) return unreadable("a member is missing or of another type");
    return members;
}

Result<std::optional<Decided>> read_decided(const Members& members)
{
    if (members.outcome.empty() && members.rule.empty()) return std::optional<Decided>{};
    if (!raw::is_string(members.outcome) || !raw::is_string(members.rule))
        return unreadable("an outcome goes with its rule");
    const auto outcome = raw::unescaped(members.outcome);
    for (const auto one : {Outcome::denied, Outcome::held, Outcome::permitted})
        if (to_text(one) == outcome)
            return std::optional{Decided{one, raw::unescaped(members.rule)}};
    return unreadable("an unknown outcome");
}

bool is_alike(const Compiled& before, const Verdict& left, const Compiled& after,
              const Verdict& right)
{
    std::vector<Effect> ours, theirs;
    before.effects_of(left, [&](const CompiledEffect& one) { ours.push_back(one.effect); });
    after.effects_of(right, [&](const CompiledEffect& one) { theirs.push_back(one.effect); });
    return ours == theirs;
}

}  // namespace

Result<std::string> write_record(const Request& request, const std::optional<Decided>& decided)
{
    const auto& row = row_of(request.action());
    std::string out = R"({"point":")" + std::string(row_of(row.point).name);
    out += R"(","action":")" + std::string(row.name) + "\"";
    if (decided) {
        out += R"(,"outcome":")" + std::string(to_text(decided->outcome)) + R"(","rule":)";
        append_json_string(out, decided->rule);
    }
    const auto scopes = bit(Attribute::scope_category) | bit(Attribute::scope_drawer) |
                        bit(Attribute::scope_channel);
    if ((request.present() & scopes) != 0) {
        out += R"(,"scope":)";
        append_members(out, request, scopes_begin, attribute_count);
    }
    out += R"(,"attributes":)";
    append_members(out, request, 0, scopes_begin);
    out += '}';
    if (out.size() > max_record_octets) return fail(Code::too_large, "a decision over 8 KiB");
    return out;
}

Result<RecordedRequest> parse_record(std::string_view json)
{
    if (json.size() > max_record_octets)
        return refuse(Code::too_large, "a recorded decision over 8 KiB");
    if (auto checked = protocol::check_json(json); !checked) return fail(checked);
    if (!raw::is_object(json)) return unreadable("is no object");
    const auto members = read_members(json);
    if (!members) return fail(members);
    const auto action = action_from(raw::unescaped(members->action));
    if (!action) return unreadable("an unknown action");
    if (raw::unescaped(members->point) != row_of(row_of(*action).point).name)
        return unreadable("the action is decided at another point");

    auto decided = read_decided(*members);
    if (!decided) return fail(decided);
    RecordedRequest record{{}, {}, Request{*action}, std::move(*decided)};
    for (raw::Items items{members->attributes}; items.next();) {
        const auto attribute = attribute_from(items.name());
        if (!attribute) return unreadable("an unknown attribute");
        if (auto taken = take_value(record, *attribute, items.value()); !taken) return fail(taken);
    }
    if (members->scope.empty()) return record;
    for (raw::Items items{members->scope}; items.next();) {
        const auto scope = scope_from(items.name());
        if (!scope || *scope == Scope::server) return unreadable("an unknown scope");
        if (auto taken = take_value(record, attribute_of(*scope), items.value()); !taken)
            return fail(taken);
    }
    return record;
}

Rehearsal rehearse(std::span<const std::string> records, const Compiled& today,
                   const Compiled& after)
{
    Rehearsal rehearsal;
    for (std::size_t at = 0; at < records.size(); ++at) {
        const auto record = parse_record(records[at]);
        if (!record) {
            ++rehearsal.unreadable;
            continue;
        }
        ++rehearsal.decided;
        const auto left = today.decide(record->request);
        const auto right = after.decide(record->request);
        const auto before = record->decided.value_or(Decided{left.outcome, left.rule.text()});
        const bool is_drifted = left.outcome != before.outcome;
        if (is_drifted) ++rehearsal.drifted;
        const bool same = before.outcome == right.outcome;
        if (same && (is_drifted || is_alike(today, left, after, right))) continue;
        if (++rehearsal.differing > max_differences) continue;
        const auto text = [&](Attribute attribute) {
            const auto& request = record->request;
            return request.has(attribute) ? std::string(request.text(attribute)) : std::string();
        };
        rehearsal.differences.push_back({at, record->request.action(), before.outcome,
                                         right.outcome, before.rule, right.rule.text(),
                                         text(Attribute::subject_id), text(Attribute::resource_id),
                                         same, is_drifted});
    }
    return rehearsal;
}

}  // namespace entente::trust::policy
