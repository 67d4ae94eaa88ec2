// One object with one member is one node: {"all": […]}, {"not": {…}}, {"lt": ["subject.tier",
// "known"]}. The recursion is as deep as the tree, which is bounded.
#include "trust/policy/condition_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/nearest_name.hpp"
#include "protocol/raw_json.hpp"

namespace entente::trust::policy {
namespace {

namespace raw = protocol::raw;

constexpr std::array<std::string_view, 11> test_names{"all", "any", "not", "eq", "ne",     "lt",
                                                      "le",  "gt",  "ge",  "in", "present"};

std::string list_of(std::span<const std::string_view> names)
{
    std::string list;
    for (const auto name : names) list += (list.empty() ? "" : ", ") + std::string(name);
    return list;
}

Result<Test> read_test(const Place& place, std::string_view name)
{
    for (std::size_t at = 0; at < test_names.size(); ++at) {
        if (test_names.at(at) == name) return static_cast<Test>(at);
    }
    const auto near = protocol::nearest_name(name, test_names);
    return place.fault("there is no test " + quoted(name) +
                       (near ? "; did you mean " + std::string(*near) + "?"
                             : "; write one of " + list_of(test_names)));
}

Result<Attribute> read_attribute(const Place& place)
{
    if (!raw::is_string(place.value)) return place.fault("must be the name of an attribute");
    const auto name = raw::unescaped(place.value);
    if (const auto attribute = attribute_from(name)) return *attribute;
    const auto near = nearest_attribute(name);
    return place.fault("there is no attribute " + quoted(name) +
                       (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
}

Result<std::uint64_t> read_word(const Place& place, const AttributeRow& row)
{
    std::string written;
    if (row.type == Type::flag && (place.value == "true" || place.value == "false")) {
        written = place.value;
    } else if (row.type == Type::word && raw::is_string(place.value)) {
        written = raw::unescaped(place.value);
    } else {
        return place.fault("must be one of " + list_of(row.words) + ", as " +
                           std::string(row.name) + " is");
    }
    for (std::size_t at = 0; at < row.words.size(); ++at) {
        if (row.words[at] == written) return at;
    }
    return place.fault(quoted(written) + " is no value of " + std::string(row.name) +
                       "; write one of " + list_of(row.words));
}

// Takes one literal into the condition.
Result<void> take_value(const Place& place, Condition& condition)
{
    const auto& row = row_of(condition.attribute);
    switch (row.type) {
        case Type::word:
        case Type::flag: {
            auto at = read_word(place, row);
            if (!at) return fail(at);
            condition.words |= std::uint64_t{1} << *at;
            return {};
        }
        case Type::number: {
            const auto number = raw::integer(place.value);
            if (!number)
                return place.fault("must be an integer, as " + std::string(row.name) + " is");
            condition.numbers.push_back(*number);
            return {};
        }
        case Type::text:
        case Type::texts: break;
    }
    if (!raw::is_string(place.value))
        return place.fault("must be a text, as " + std::string(row.name) + " is");
    auto text = raw::unescaped(place.value);
    if (text.size() > max_policy_text_octets)
        return place.fault("is longer than 255 octets", Code::too_large);
    condition.texts.push_back(std::move(text));
    return {};
}

// The words that stand in this relation to the one of `words`.
std::uint64_t words_that(Test test, std::uint64_t one, std::size_t count)
{
    const auto every = (std::uint64_t{1} << count) - 1;
    switch (test) {
        case Test::ne: return every & ~one;
        case Test::lt: return one - 1;
        case Test::le: return one | (one - 1);
        case Test::gt: return every & ~(one | (one - 1));
        case Test::ge: return every & ~(one - 1);
        default: return one;
    }
}

bool needs_order(Test test)
{
    return test == Test::lt || test == Test::le || test == Test::gt || test == Test::ge;
}

// {"attribute": "subject.role"}: what another attribute says, which must be of the same kind.
Result<void> take_other(const Place& place, Condition& condition)
{
    raw::Items members{place.value};
    const bool one = members.next() && members.is_named("attribute");
    const auto name = one ? members.value() : std::string_view{};
    if (!one || members.next())
        return place.fault(R"(must be a value, or {"attribute": "…"} alone)");
    const auto at = place.within(name, "attribute");
    auto other = read_attribute(at);
    if (!other) return fail(other);
    const auto& left = row_of(condition.attribute);
    const auto& right = row_of(*other);
    if (left.type != right.type || left.words.data() != right.words.data())
        return at.fault("can't be compared with " + std::string(left.name) +
                        ", which is of another type");
    condition.other = *other;
    return {};
}

Result<std::array<Place, 2>> read_pair(const Place& place)
{
    std::array<Place, 2> pair{place, place};
    std::size_t count = 0;
    if (!raw::is_array(place.value)) return place.fault("must be a list of two");
    for (raw::Items items{place.value}; items.next(); ++count) {
        if (count < 2) pair.at(count) = place.within(items.value(), std::to_string(count));
    }
    if (count != 2) return place.fault("must be a list of two: an attribute and a value");
    return pair;
}

Result<void> take_set(const Place& place, Condition& condition, NodeCount& count)
{
    if (!raw::is_array(place.value)) return place.fault("must be a list of values");
    std::size_t index = 0;
    for (raw::Items items{place.value}; items.next(); ++index) {
        const auto item = place.within(items.value(), std::to_string(index));
        if (auto counted = count.add(item); !counted) return counted;
        if (auto taken = take_value(item, condition); !taken) return taken;
    }
    if (index == 0) return place.fault("is empty: nothing is in it");
    return {};
}

Result<Condition> read_comparison(const Place& place, Test test, NodeCount& count)
{
    Condition condition;
    condition.test = test;
    if (test == Test::present) {
        auto attribute = read_attribute(place);
        if (!attribute) return fail(attribute);
        condition.attribute = *attribute;
        return condition;
    }
    auto pair = read_pair(place);
    if (!pair) return fail(pair);
    auto attribute = read_attribute((*pair)[0]);
    if (!attribute) return fail(attribute);
    condition.attribute = *attribute;
    const auto& row = row_of(*attribute);
    const auto& right = (*pair)[1];
    if (test == Test::in) {
        auto taken = take_set(right, condition, count);
        return taken ? Result<Condition>{std::move(condition)} : fail(taken);
    }
    if (row.type == Type::texts)
        return (*pair)[0].fault(std::string(row.name) + " is several texts; use in, or present");
    if (needs_order(test) && !row.is_ordered)
        return (*pair)[0].fault(std::string(row.name) + " has no order; use eq, ne or in");
    if (raw::is_object(right.value)) {
        auto taken = take_other(right, condition);
        return taken ? Result<Condition>{std::move(condition)} : fail(taken);
    }
    if (auto taken = take_value(right, condition); !taken) return fail(taken);
    if (!row.words.empty()) condition.words = words_that(test, condition.words, row.words.size());
    return condition;
}

Result<Condition> read_node(const Place& place, NodeCount& count, std::size_t depth);

Result<Condition> read_children(const Place& place, Test test, NodeCount& count, std::size_t depth)
{
    Condition condition;
    condition.test = test;
    if (!raw::is_array(place.value)) return place.fault("must be a list of conditions");
    std::size_t index = 0;
    for (raw::Items items{place.value}; items.next(); ++index) {
        auto child =
            read_node(place.within(items.value(), std::to_string(index)), count, depth + 1);
        if (!child) return child;
        condition.children.push_back(std::move(*child));
    }
    if (index == 0) return place.fault("is empty; leave `when` out where nothing is asked");
    return condition;
}

// `depth` counts from 1.
Result<Condition> read_node(const Place& place, NodeCount& count, std::size_t depth)
{
    if (depth > max_condition_depth)
        return place.fault("is a condition over 12 deep", Code::too_large);
    if (auto counted = count.add(place); !counted) return fail(counted);
    if (!raw::is_object(place.value)) return place.fault("must be a condition, an object");
    raw::Items members{place.value};
    if (!members.next()) return place.fault("must have one member, as {\"eq\": […]}");
    auto name = members.name();
    const auto value = members.value();
    if (members.next()) return place.fault("must have one member; put several into \"all\"");
    const auto at = place.within(value, name);
    auto test = read_test(at, name);
    if (!test) return fail(test);
    if (*test == Test::all || *test == Test::any) return read_children(at, *test, count, depth);
    if (*test != Test::negation) return read_comparison(at, *test, count);
    auto child = read_node(at, count, depth + 1);
    if (!child) return child;
    Condition condition;
    condition.test = Test::negation;
    condition.children.push_back(std::move(*child));
    return condition;
}

}  // namespace

Result<void> NodeCount::add(const Place& place)
{
    if (++nodes <= max_policy_nodes) return {};
    return place.fault("is one condition or value more than a policy may have: 10000",
                       Code::too_large);
}

Result<Condition> read_condition(const Place& place, NodeCount& count)
{
    return read_node(place, count, 1);
}

Attributes attributes_of(const Condition& condition)
{
    Attributes read = 0;
    for (const auto& child : condition.children) read |= attributes_of(child);
    if (!condition.children.empty()) return read;
    read |= bit(condition.attribute);
    if (condition.other) read |= bit(*condition.other);
    return read;
}

}  // namespace entente::trust::policy
