#include "trust/policy/index_key.hpp"

#include <bit>

namespace entente::trust::policy {
namespace {

// A text is one of very many, a word one of a few: any text before any word.
constexpr double share_of_a_text = 1e-6;

std::optional<IndexKey> key_of_comparison(const Condition& condition)
{
    if (condition.other || condition.test == Test::present) return std::nullopt;
    const auto& row = row_of(condition.attribute);
    if (row.type == Type::word || row.type == Type::flag) {
        const auto share = static_cast<double>(std::popcount(condition.words)) /
                           static_cast<double>(row.words.size());
        return IndexKey{condition.attribute, condition.words, {}, share};
    }
    if (row.type != Type::text || condition.test == Test::ne) return std::nullopt;
    return IndexKey{condition.attribute, 0, condition.texts,
                    share_of_a_text * static_cast<double>(condition.texts.size())};
}

// Of what must hold in any case: the condition itself, or the parts of an `all`.
std::optional<IndexKey> key_of(const Condition& condition)
{
    if (condition.test == Test::any || condition.test == Test::negation) return std::nullopt;
    if (condition.test != Test::all) return key_of_comparison(condition);
    std::optional<IndexKey> best;
    for (const auto& child : condition.children) {
        auto key = key_of(child);
        if (key && (!best || key->share < best->share)) best = std::move(key);
    }
    return best;
}

}  // namespace

std::optional<IndexKey> index_key(const Rule& rule)
{
    if (rule.scope != Scope::server) {
        return IndexKey{attribute_of(rule.scope), 0, {rule.place}, share_of_a_text};
    }
    return rule.when ? key_of(*rule.when) : std::nullopt;
}

}  // namespace entente::trust::policy
