#include "protocol/device_message.hpp"

#include "protocol/json_rules.hpp"
#include "protocol/raw_members.hpp"

namespace entente::protocol {

std::string write_device_message(const DeviceMessage& message, std::string_view salt)
{
    return R"({"salt":)" + json_string(salt) + R"(,"device":")" + message.device.str() +
           R"(","message":)" + message.body + "}";
}

Result<DeviceMessage> parse_device_message(std::string_view content)
{
    auto object = checked_object(content);
    if (!object) return fail(object);
    RawMembers members{*object, ""};
    DeviceMessage message;
    message.device = members.uuid("device");
    message.body = members.object("message", max_device_message_octets);
    if (members.error()) return Failure{*members.error()};
    return message;
}

}  // namespace entente::protocol
