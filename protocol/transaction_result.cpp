// The answer to a transaction: a result per item, written and read.
#include <array>

#include "protocol/json_rules.hpp"
#include "protocol/log_reading.hpp"
#include "protocol/log_writing.hpp"
#include "protocol/problem.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol {
namespace {

constexpr std::array<std::pair<ItemStatus, std::string_view>, 6> item_statuses{{
    {ItemStatus::accepted, "accepted"},
    {ItemStatus::duplicate, "duplicate"},
    {ItemStatus::rejected, "rejected"},
    {ItemStatus::deferred, "deferred"},
    {ItemStatus::ignored, "ignored"},
    {ItemStatus::need_snapshot, "need-snapshot"},
}};

void append_problem(std::string& out, const std::optional<Error>& problem, Millis now)
{
    if (!problem) return;
    writing::append_name(out, "problem");
    out += problem_json(*problem, now);
}

void append_text(std::string& out, std::string_view name, std::string_view text)
{
    writing::append_name(out, name);
    append_json_string(out, text);
}

void append_count(std::string& out, std::string_view name, std::int64_t number)
{
    writing::append_name(out, name);
    writing::append_number(out, number);
}

void append_event_result(std::string& out, const EventResult& result, Millis now)
{
    out += '{';
    if (result.event) {
        append_text(out, "event", to_base64url(*result.event));
    } else {
        out += R"("event":null)";
    }
    append_text(out, "status", to_text(result.status));
    if (result.seq > 0) append_count(out, "seq", result.seq);
    if (result.retry_after > 0) append_count(out, "retry_after", result.retry_after);
    append_problem(out, result.problem, now);
    if (result.snapshot) {
        writing::append_name(out, "snapshot");
        writing::append_snapshot(out, *result.snapshot);
    }
    if (result.floor) append_count(out, "floor", *result.floor);
    if (!result.consent.empty()) append_text(out, "consent", result.consent);
    out += '}';
}

void append_slice_result(std::string& out, const SliceResult& result, Millis now)
{
    out += '{';
    append_text(out, "channel", result.channel);
    append_text(out, "status", to_text(result.status));
    append_count(out, "epoch", result.epoch);
    append_count(out, "have", result.have.seq);
    append_text(out, "hash", result.have.hash);
    if (!result.kids.empty()) {
        writing::append_name(out, "kids");
        writing::append_strings(out, result.kids);
    }
    if (result.agrees) {
        writing::append_name(out, "agrees");
        writing::append_position(out, *result.agrees);
    }
    if (result.retry_after > 0) append_count(out, "retry_after", result.retry_after);
    append_problem(out, result.problem, now);
    out += '}';
}

Result<std::optional<Error>> read_problem(dom::Object object)
{
    const auto value = dom::member(object, "problem");
    if (!value) return std::optional<Error>{};
    auto problem = parse_problem(simdjson::minify(*value));
    if (!problem) return dom::wrong("problem", "is no problem document");
    return problem;
}

Result<ItemStatus> read_status(dom::Object object)
{
    const auto text = dom::need_string(object, "status");
    if (!text) return fail(text);
    const auto status = item_status_from(*text);
    if (!status) return dom::wrong("status", "is unknown");
    return *status;
}

Result<EventResult> read_event_result(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "events");
    if (!object) return fail(object);
    EventResult result;
    const auto event = dom::member(*object, "event");
    if (!event) return dom::wrong("event", "is missing");
    if (!event->is_null()) {
        const auto id = dom::need_hash(*object, "event");
        if (!id) return fail(id);
        result.event = *id;
    }
    const auto status = read_status(*object);
    if (!status) return fail(status);
    result.status = *status;
    const auto seq = dom::may_count(*object, "seq");
    if (!seq) return fail(seq);
    result.seq = seq->value_or(0);
    const auto retry_after = dom::may_count(*object, "retry_after");
    if (!retry_after) return fail(retry_after);
    result.retry_after = retry_after->value_or(0);
    auto problem = read_problem(*object);
    if (!problem) return fail(problem);
    result.problem = std::move(*problem);
    if (const auto snapshot = dom::member(*object, "snapshot")) {
        auto read = reading::read_snapshot(*snapshot, rules);
        if (!read) return fail(read);
        result.snapshot = std::move(*read);
    }
    const auto floor = dom::may_count(*object, "floor");
    if (!floor) return fail(floor);
    result.floor = *floor;
    const auto consent = dom::may_string(*object, "consent");
    if (!consent) return fail(consent);
    result.consent = consent->value_or("");
    return result;
}

template <class T, class Read>
Result<std::vector<T>> read_list(dom::Object object, std::string_view name, Read read)
{
    const auto array = dom::may_array(object, name);
    if (!array) return fail(array);
    std::vector<T> list;
    if (!*array) return list;
    list.reserve((*array)->size());
    for (const dom::Element element : **array) {
        auto item = read(element);
        if (!item) return fail(item);
        list.push_back(std::move(*item));
    }
    return list;
}

Result<SubmissionResult> read_submission_result(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "submissions");
    if (!object) return fail(object);
    const auto channel = dom::need_string(*object, "channel");
    if (!channel) return fail(channel);
    auto events = read_list<EventResult>(
        *object, "events", [rules](dom::Element item) { return read_event_result(item, rules); });
    if (!events) return fail(events);
    return SubmissionResult{std::string(*channel), std::move(*events)};
}

Result<SliceResult> read_slice_result(dom::Element element)
{
    const auto object = dom::as_object(element, "logs");
    if (!object) return fail(object);
    SliceResult result;
    const auto channel = dom::need_string(*object, "channel");
    if (!channel) return fail(channel);
    result.channel = *channel;
    const auto status_text = dom::need_string(*object, "status");
    if (!status_text) return fail(status_text);
    const auto status = slice_status_from(*status_text);
    if (!status) return dom::wrong("status", "is unknown");
    result.status = *status;
    const auto epoch = reading::read_epoch(*object);
    if (!epoch) return fail(epoch);
    result.epoch = *epoch;
    auto have = reading::read_position(*object, "have");
    if (!have) return fail(have);
    result.have = std::move(*have);
    const auto kids = dom::may_array(*object, "kids");
    if (!kids) return fail(kids);
    if (*kids) {
        auto list = dom::strings(**kids, "kids");
        if (!list) return fail(list);
        result.kids = std::move(*list);
    }
    if (dom::member(*object, "agrees")) {
        const auto agrees = dom::need_object(*object, "agrees");
        if (!agrees) return fail(agrees);
        auto position = reading::read_position(*agrees, "seq");
        if (!position) return fail(position);
        result.agrees = std::move(*position);
    }
    const auto retry_after = dom::may_count(*object, "retry_after");
    if (!retry_after) return fail(retry_after);
    result.retry_after = retry_after->value_or(0);
    auto problem = read_problem(*object);
    if (!problem) return fail(problem);
    result.problem = std::move(*problem);
    return result;
}

Result<SignalResult> read_signal_result(dom::Element element)
{
    const auto object = dom::as_object(element, "signals");
    if (!object) return fail(object);
    const auto status = read_status(*object);
    if (!status) return fail(status);
    auto problem = read_problem(*object);
    if (!problem) return fail(problem);
    return SignalResult{*status, std::move(*problem)};
}

// Snapshots are the only proofs in a result.
Result<void> check_roots(dom::Object object, std::size_t roots)
{
    reading::RootUse use(roots);
    const auto submissions = dom::may_array(object, "submissions");
    if (submissions && *submissions) {
        for (const dom::Element submission : **submissions) {
            dom::Array events;
            if (submission["events"].get_array().get(events)) continue;
            for (const dom::Element event : events) {
                dom::Element snapshot;
                if (event["snapshot"].get(snapshot)) continue;
                if (auto noted = use.note(snapshot); !noted) return noted;
            }
        }
    }
    return use.finish();
}

Result<TransactionResult> read_result(dom::Object object, NameRules rules)
{
    TransactionResult result;
    auto roots = reading::read_roots(object);
    if (!roots) return fail(roots);
    result.roots = std::move(*roots);
    auto submissions = read_list<SubmissionResult>(
        object, "submissions",
        [rules](dom::Element item) { return read_submission_result(item, rules); });
    if (!submissions) return fail(submissions);
    result.submissions = std::move(*submissions);
    auto logs = read_list<SliceResult>(object, "logs", &read_slice_result);
    if (!logs) return fail(logs);
    result.logs = std::move(*logs);
    auto direct = read_list<EventResult>(
        object, "direct", [rules](dom::Element item) { return read_event_result(item, rules); });
    if (!direct) return fail(direct);
    result.direct = std::move(*direct);
    auto signals = read_list<SignalResult>(object, "signals", &read_signal_result);
    if (!signals) return fail(signals);
    result.signals = std::move(*signals);
    if (auto checked = check_roots(object, result.roots.size()); !checked) return fail(checked);
    return result;
}

}  // namespace

std::string_view to_text(ItemStatus status)
{
    for (const auto& [value, text] : item_statuses) {
        if (value == status) return text;
    }
    return "rejected";
}

std::optional<ItemStatus> item_status_from(std::string_view text)
{
    for (const auto& [value, name] : item_statuses) {
        if (name == text) return value;
    }
    return std::nullopt;
}

std::string write_result(const TransactionResult& result, Millis now)
{
    const auto event = [now](std::string& out, const EventResult& item) {
        append_event_result(out, item, now);
    };
    std::string out = "{";
    if (!result.roots.empty()) {
        writing::append_name(out, "roots");
        writing::append_strings(out, result.roots);
    }
    writing::append_name(out, "submissions");
    writing::append_list(out, result.submissions,
                         [&event](std::string& to, const SubmissionResult& item) {
                             to += '{';
                             append_text(to, "channel", item.channel);
                             writing::append_name(to, "events");
                             writing::append_list(to, item.events, event);
                             to += '}';
                         });
    writing::append_name(out, "logs");
    writing::append_list(out, result.logs, [now](std::string& to, const SliceResult& item) {
        append_slice_result(to, item, now);
    });
    writing::append_name(out, "direct");
    writing::append_list(out, result.direct, event);
    writing::append_name(out, "signals");
    writing::append_list(out, result.signals, [now](std::string& to, const SignalResult& item) {
        to += '{';
        append_text(to, "status", to_text(item.status));
        append_problem(to, item.problem, now);
        to += '}';
    });
    out += '}';
    return out;
}

Result<TransactionResult> parse_result(std::string_view body, NameRules rules)
{
    if (auto checked = check_json(body); !checked) return fail(checked);
    dom::Parser parser;
    const auto root = parser.parse(body);
    if (!root) return fail(root);
    const auto object = dom::as_object(*root, "");
    if (!object) return fail(object);
    return read_result(*object, rules);
}

}  // namespace entente::protocol
