// One question to the engine: an action, where in the scope chain, and what is known of
// subject, resource and context. Made by an enforcement point for one decision; holds views
// and allocates nothing.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "protocol/clock.hpp"
#include "trust/policy/actions.hpp"
#include "trust/policy/attributes.hpp"
#include "trust/tiers.hpp"

namespace entente::trust::policy {

// What isn't set is absent: every comparison with it is false. A point sets what ActionRow::knows
// lists, as far as there is such a thing: an account's age is nothing that it knows of another
// server's user. Texts must outlive the request.
class Request {
 public:
    explicit Request(Action action) : action_(action) {}

    // A word by its enum (SubjectKind, Tier, ServerRole, ChannelRole, ResourceKind, History).
    template <class Word>
        requires std::is_enum_v<Word>
    Request& word(Attribute attribute, Word value)
    {
        return word_at(attribute, static_cast<std::size_t>(value));
    }
    // By its place in the list.
    Request& word_at(Attribute attribute, std::size_t place)
    {
        assert(place < row_of(attribute).words.size());
        return put(attribute, Type::word, static_cast<std::int64_t>(place));
    }
    Request& flag(Attribute attribute, bool value)
    {
        return put(attribute, Type::flag, value ? 1 : 0);
    }
    Request& number(Attribute attribute, std::int64_t value)
    {
        return put(attribute, Type::number, value);
    }
    Request& text(Attribute attribute, std::string_view value)
    {
        texts_[static_cast<std::size_t>(attribute)] = value;
        return put(attribute, Type::text, 0);
    }
    Request& groups(std::span<const std::string_view> groups)
    {
        groups_ = groups;
        return put(Attribute::subject_group, Type::texts, 0);
    }
    // context.time and context.hour.
    Request& at(protocol::Millis now)
    {
        return number(Attribute::context_time, now)
            .number(Attribute::context_hour, (now / 3'600'000) % 24);
    }
    // Where it is done: as narrow as is known.
    Request& in_category(std::string_view id) { return text(Attribute::scope_category, id); }
    Request& in_drawer(std::string_view id) { return text(Attribute::scope_drawer, id); }
    Request& in_channel(std::string_view id) { return text(Attribute::scope_channel, id); }

    [[nodiscard]] Action action() const { return action_; }
    [[nodiscard]] Attributes present() const { return present_; }
    [[nodiscard]] bool has(Attribute attribute) const { return (present_ & bit(attribute)) != 0; }
    // A number, a word's place in its list, 0 or 1 of a flag. Only of what is present.
    [[nodiscard]] std::int64_t value(Attribute attribute) const
    {
        return values_[static_cast<std::size_t>(attribute)];
    }
    [[nodiscard]] std::string_view text(Attribute attribute) const
    {
        return texts_[static_cast<std::size_t>(attribute)];
    }
    [[nodiscard]] std::span<const std::string_view> groups() const { return groups_; }

 private:
    Request& put(Attribute attribute, [[maybe_unused]] Type type, std::int64_t value)
    {
        assert(row_of(attribute).type == type);
        values_[static_cast<std::size_t>(attribute)] = value;
        present_ |= bit(attribute);
        return *this;
    }

    Action action_;
    Attributes present_ = 0;
    std::array<std::int64_t, attribute_count> values_{};
    std::array<std::string_view, attribute_count> texts_{};
    std::span<const std::string_view> groups_;
};

}  // namespace entente::trust::policy
