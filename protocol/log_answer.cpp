// The answers of section 7 that carry log: a slice or a snapshot with its roots.
#include "protocol/json_rules.hpp"
#include "protocol/log_reading.hpp"
#include "protocol/log_writing.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol {
namespace {

// What both answers begin with.
struct Opened {
    dom::Parser parser;  // owns what `object` shows
    dom::Object object;
    std::vector<std::string> roots;
    dom::Element body;
};

Result<void> open(Opened& opened, std::string_view text, std::string_view member)
{
    if (auto checked = check_json(text); !checked) return fail(checked);
    const auto root = opened.parser.parse(text);
    if (!root) return fail(root);
    const auto object = dom::as_object(*root, "");
    if (!object) return fail(object);
    opened.object = *object;
    auto roots = reading::read_roots(*object);
    if (!roots) return fail(roots);
    opened.roots = std::move(*roots);
    const auto body = dom::member(*object, member);
    if (!body) return dom::wrong(member, "is missing");
    opened.body = *body;
    return {};
}

}  // namespace

std::string write_log_answer(const LogAnswer& answer)
{
    std::string out = R"({"roots":)";
    writing::append_strings(out, answer.roots);
    writing::append_name(out, "slice");
    writing::append_slice(out, answer.slice);
    out += '}';
    return out;
}

Result<LogAnswer> parse_log_answer(std::string_view body, NameRules rules)
{
    Opened opened;
    if (auto done = open(opened, body, "slice"); !done) return fail(done);
    auto slice = reading::read_slice(opened.body, rules);
    if (!slice) return fail(slice);
    if (opened.roots.size() > slice->entries.size() + 1) {
        return dom::wrong("roots", "holds more roots than there are items");
    }
    reading::RootUse use(opened.roots.size());
    if (auto noted = reading::note_slice(use, opened.body); !noted) return fail(noted);
    if (auto finished = use.finish(); !finished) return fail(finished);
    return LogAnswer{std::move(opened.roots), std::move(*slice)};
}

std::string write_snapshot_answer(const SnapshotAnswer& answer)
{
    std::string out = R"({"roots":)";
    writing::append_strings(out, answer.roots);
    writing::append_name(out, "snapshot");
    writing::append_snapshot(out, answer.snapshot);
    out += '}';
    return out;
}

Result<SnapshotAnswer> parse_snapshot_answer(std::string_view body, NameRules rules)
{
    Opened opened;
    if (auto done = open(opened, body, "snapshot"); !done) return fail(done);
    auto snapshot = reading::read_snapshot(opened.body, rules);
    if (!snapshot) return fail(snapshot);
    reading::RootUse use(opened.roots.size());
    if (auto noted = use.note(opened.body); !noted) return fail(noted);
    if (auto finished = use.finish(); !finished) return fail(finished);
    return SnapshotAnswer{std::move(opened.roots), std::move(*snapshot)};
}

}  // namespace entente::protocol
