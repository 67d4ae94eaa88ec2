// Reading a transaction: limits, then the JSON rules over the whole body once, then
// each item for itself.
#include <algorithm>

#include "protocol/json_rules.hpp"
#include "protocol/log_reading.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol {
namespace {

// A parser's memory is several times the text; what a rare large body needed is given
// back instead of being kept by every thread.
constexpr std::size_t kept_parser_octets = 262'144;

std::string channel_text(dom::Element item)
{
    std::string_view text;
    if (item["channel"].get_string().get(text)) return {};
    return std::string(text);
}

// What an item weighs, by the events or entries that it holds [INBOX-6], also where it can't
// be read: then it has a result per event. One that holds none weighs one, and so does one that
// isn't known to hold any: each is work for the writer and a line of the answer.
std::size_t weight_of(dom::Element item, std::string_view list)
{
    dom::Array array;
    if (list.empty() || item[list].get_array().get(array)) return 1;
    return std::max<std::size_t>(array.size(), 1);
}

EventAndContent read_pair(dom::Element element)
{
    // A pair that can't be read keeps its place as empty octets, which are no event.
    std::string_view event;
    std::string_view content;
    if (element["event"].get_string().get(event)) return {};
    if (element["content"].get_string().get(content)) return {};
    return {std::string(event), std::string(content)};
}

Result<Submission> read_submission(dom::Element element, NameRules rules)
{
    const auto object = dom::as_object(element, "submissions");
    if (!object) return fail(object);
    const auto channel_name = dom::need_string(*object, "channel");
    if (!channel_name) return fail(channel_name);
    auto channel = parse_channel_id(*channel_name, rules);
    if (!channel) return dom::wrong("channel", "is no channel id");
    const auto events = dom::need_array(*object, "events");
    if (!events) return fail(events);
    const auto seal_object = dom::need_object(*object, "seal");
    if (!seal_object) return fail(seal_object);
    auto seal = reading::read_seal(*seal_object);
    if (!seal) return fail(seal);

    Submission submission{std::move(*channel), {}, std::move(*seal)};
    submission.events.reserve(events->size());
    for (const dom::Element event : *events) submission.events.push_back(read_pair(event));
    return submission;
}

Result<EventAndContent> read_direct(dom::Element element, NameRules /*rules*/)
{
    const auto object = dom::as_object(element, "direct");
    if (!object) return fail(object);
    const auto event = dom::need_string(*object, "event");
    if (!event) return fail(event);
    const auto content = dom::need_string(*object, "content");
    if (!content) return fail(content);
    return EventAndContent{std::string(*event), std::string(*content)};
}

Result<Signal> read_signal(dom::Element element, NameRules /*rules*/)
{
    const auto object = dom::as_object(element, "signals");
    if (!object) return fail(object);
    const auto type = dom::need_string(*object, "type");
    if (!type) return fail(type);
    const auto channel = dom::may_string(*object, "channel");
    if (!channel) return fail(channel);
    const auto user = dom::may_string(*object, "user");
    if (!user) return fail(user);
    return Signal{std::string(*type), std::string(channel->value_or("")),
                  std::string(user->value_or("")), simdjson::minify(element)};
}

template <class T>
using Reader = Result<T> (*)(dom::Element, NameRules);

template <class T>
Read<T> read_item(dom::Element element, std::string_view list, Reader<T> reader, NameRules rules)
{
    Read<T> item;
    item.channel_text = channel_text(element);
    item.items = weight_of(element, list);
    auto value = reader(element, rules);
    if (value) {
        item.value = std::move(*value);
    } else {
        item.problem = std::move(value).error();
    }
    return item;
}

// One of the four parts. `list` names what an item's weight is counted by, empty where
// each counts as one.
template <class T>
Result<std::vector<Read<T>>> read_part(dom::Object body, std::string_view part,
                                       std::string_view list, Reader<T> reader, NameRules rules)
{
    const auto array = dom::may_array(body, part);
    if (!array) return fail(array);
    std::vector<Read<T>> items;
    if (!*array) return items;
    items.reserve((*array)->size());
    for (const dom::Element element : **array) {
        items.push_back(read_item<T>(element, list, reader, rules));
    }
    return items;
}

// Walks the items apart from reading them, so that an unreadable one still counts as
// the user of its roots.
Result<void> check_roots(dom::Object body, const Transaction& transaction)
{
    if (transaction.roots.size() > transaction.items() + 1) {
        return dom::wrong("roots", "holds more roots than there are items");
    }
    reading::RootUse use(transaction.roots.size());
    if (const auto submissions = dom::may_array(body, "submissions"); submissions && *submissions) {
        for (const dom::Element element : **submissions) {
            dom::Element seal;
            if (element["seal"].get(seal)) {
                use.note_unknown();
            } else if (auto noted = use.note(seal); !noted) {
                return noted;
            }
        }
    }
    if (const auto logs = dom::may_array(body, "logs"); logs && *logs) {
        for (const dom::Element element : **logs) {
            if (auto noted = reading::note_slice(use, element); !noted) return noted;
        }
    }
    return use.finish();
}

// INBOX-6 before anything is copied: what is over the limit costs only the parse.
std::size_t count_items(dom::Object body)
{
    std::size_t items = 0;
    const auto weigh = [&](std::string_view part, std::string_view list) {
        const auto array = dom::may_array(body, part);
        if (!array || !*array) return;
        for (const dom::Element element : **array) items += weight_of(element, list);
    };
    weigh("submissions", "events");
    weigh("logs", "entries");
    weigh("direct", "");
    weigh("signals", "");
    return items;
}

Result<Transaction> read_transaction(dom::Parser& parser, std::string_view body,
                                     const TransactionLimits& limits, NameRules rules)
{
    const auto root = parser.parse(body);
    if (!root) return fail(root);
    const auto object = dom::as_object(*root, "");
    if (!object) return fail(object);
    if (count_items(*object) > limits.items) {
        return refuse(Code::too_large, "more items than transaction_items");
    }

    Transaction transaction;
    auto roots = reading::read_roots(*object);
    if (!roots) return fail(roots);
    transaction.roots = std::move(*roots);
    auto submissions =
        read_part<Submission>(*object, "submissions", "events", &read_submission, rules);
    if (!submissions) return fail(submissions);
    transaction.submissions = std::move(*submissions);
    auto logs = read_part<Slice>(*object, "logs", "entries", &reading::read_slice, rules);
    if (!logs) return fail(logs);
    transaction.logs = std::move(*logs);
    auto direct = read_part<EventAndContent>(*object, "direct", "", &read_direct, rules);
    if (!direct) return fail(direct);
    transaction.direct = std::move(*direct);
    auto signals = read_part<Signal>(*object, "signals", "", &read_signal, rules);
    if (!signals) return fail(signals);
    transaction.signals = std::move(*signals);
    if (transaction.items() > limits.items) {
        return refuse(Code::too_large, "more items than transaction_items");
    }
    if (auto checked = check_roots(*object, transaction); !checked) return fail(checked);
    return transaction;
}

template <class T>
std::size_t sum_of_items(const std::vector<Read<T>>& list)
{
    std::size_t sum = 0;
    for (const auto& item : list) sum += item.items;
    return sum;
}

}  // namespace

std::size_t Transaction::items() const
{
    return sum_of_items(submissions) + sum_of_items(logs) + sum_of_items(direct) +
           sum_of_items(signals);
}

Result<Transaction> parse_transaction(std::string_view body, const TransactionLimits& limits,
                                      NameRules rules)
{
    if (body.size() > limits.bytes) {
        return refuse(Code::too_large, "more octets than transaction_bytes");
    }
    if (auto checked = check_json(body); !checked) return fail(checked);
    if (body.size() <= kept_parser_octets) {
        thread_local dom::Parser parser;
        return read_transaction(parser, body, limits, rules);
    }
    dom::Parser parser;
    return read_transaction(parser, body, limits, rules);
}

}  // namespace entente::protocol
