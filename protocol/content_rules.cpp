#include "protocol/content_rules.hpp"

namespace entente::protocol {

bool can_be_deleted(std::string_view type)
{
    return type == "message.create" || type == "message.edit" || type == "message.react";
}

bool can_expire(std::string_view type)
{
    return type.starts_with("message.");
}

bool is_withheld(const Entry& entry, std::string_view type, std::int64_t seq, std::int64_t latest,
                 std::string_view retention)
{
    if (entry.content) return false;
    if (entry.expired) return !can_expire(type) || retention == "keep";
    return !can_be_deleted(type) || entry.deleted_by <= seq || entry.deleted_by > latest;
}

}  // namespace entente::protocol
