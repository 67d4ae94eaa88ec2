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

}  // namespace entente::protocol
