#include "api/device_send.hpp"

#include <string>
#include <utility>

#include "api/text_limits.hpp"
#include "protocol/device_message.hpp"
#include "protocol/raw_json.hpp"
#include "protocol/raw_members.hpp"

namespace entente::api {
namespace {

}  // namespace

Result<DeviceSends> parse_device_sends(std::string_view text, protocol::NameRules names)
{
    auto object = protocol::checked_object(text);
    if (!object) return fail(object);
    protocol::RawMembers members{*object, ""};
    DeviceSends read;
    read.txn = members.uuid("txn");
    const auto list = members.array("messages");
    if (members.error()) return protocol::Failure{*members.error()};
    for (protocol::raw::Items items{list}; items.next();) {
        if (read.messages.size() == max_device_sends)
            return refuse(Code::too_large, "/messages: at most 100 in a request");
        protocol::RawMembers item{items.value(),
                                  "/messages/" + std::to_string(read.messages.size())};
        federation::DeviceSend send;
        auto user = protocol::parse_user_id(item.text("user", max_user_octets), names);
        if (!user) item.breach("user", "name@server is needed");
        send.device = item.uuid("device");
        send.message = item.object("message", protocol::max_device_message_octets);
        if (item.error()) return protocol::Failure{*item.error()};
        send.user = std::move(*user);
        read.messages.push_back(std::move(send));
    }
    if (read.messages.empty()) return refuse(Code::malformed, "/messages: at least one is needed");
    return read;
}

}  // namespace entente::api
