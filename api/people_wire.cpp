#include "api/people_wire.hpp"

#include <utility>

#include "api/wire.hpp"
#include "protocol/json_rules.hpp"
#include "protocol/octets.hpp"
#include "protocol/problem.hpp"

namespace entente::api {
namespace {

using protocol::json_string;

// Kinds are of a-z 0-9 -.
std::string counts_object(const std::vector<storage::KeyCount>& counts)
{
    std::string out = "{";
    for (const auto& kind : counts) {
        if (out.back() != '{') out += ',';
        out += '"' + kind.kind + "\":" + std::to_string(kind.left);
    }
    return out + "}";
}

std::string_view send_text(federation::SendResult::State state)
{
    switch (state) {
        case federation::SendResult::State::accepted: return "accepted";
        case federation::SendResult::State::pending: return "pending";
        case federation::SendResult::State::refused: return "refused";
    }
    return "refused";
}

std::string mail_json(const federation::MailItem& item)
{
    std::string out = R"({"number":)" + std::to_string(item.number);
    out += R"(,"at":")" + time_text(item.at) + '"';
    if (!item.problem.empty()) {
        const auto code = protocol::code_from_name(item.problem).value_or(Code::forbidden);
        const auto problem = protocol::problem_json(Error{code, {}, {}, 0}, 0);
        // The note is an object that isn't empty.
        out += R"(,"refused":)" + item.body.substr(0, item.body.size() - 1);
        return out + R"(,"problem":)" + problem + "}}";
    }
    out += R"(,"from":)" + json_string(item.from);
    if (!item.from_device.empty()) out += R"(,"device":")" + item.from_device + '"';
    return out + R"(,"message":)" + item.body + "}";
}

}  // namespace

std::string own_device_json(const storage::DeviceRow& device, bool is_current)
{
    std::string out = R"({"device":")" + device.device.str();
    out += R"(","name":)" + json_string(device.name);
    out += R"(,"key":")" + protocol::to_base64url(device.key);
    out += R"(","created_at":")" + time_text(device.created_at) + '"';
    if (is_current) out += R"(,"current":true)";
    return out + "}";
}

std::string key_counts_json(const std::vector<storage::KeyCount>& counts)
{
    std::string fallback = "[";
    for (const auto& kind : counts)
        if (kind.has_fallback) append_item(fallback, '"' + kind.kind + '"');
    return R"({"counts":)" + counts_object(counts) + R"(,"fallback":)" + fallback + "]}";
}

std::string low_keys_frame(const std::vector<storage::KeyCount>& counts)
{
    return R"({"keys.low":)" + counts_object(counts) + "}";
}

std::string claimed_json(const std::vector<federation::ClaimResult>& results, protocol::Millis now)
{
    std::string items = "[";
    for (const auto& result : results) {
        const auto& claim = result.key.claim;
        std::string item = R"({"user":)" + json_string(claim.user.str());
        item += R"(,"device":")" + claim.device.str() + R"(","kind":")" + claim.kind;
        item += R"(","key":)" + (result.key.key.empty() ? std::string("null") : result.key.key);
        if (result.key.is_fallback) item += R"(,"fallback":true)";
        if (result.problem) item += R"(,"problem":)" + refusal_json(*result.problem, now);
        append_item(items, item + "}");
    }
    return R"({"keys":)" + items + "]}";
}

std::string mail_frame(const std::vector<federation::MailItem>& items)
{
    std::string frame = R"({"device.message":[)";
    for (const auto& item : items) append_item(frame, mail_json(item));
    return frame + "]}";
}

std::string sent_json(const std::vector<federation::DeviceSend>& sends,
                      const std::vector<federation::SendResult>& results, protocol::Millis now)
{
    std::string items = "[";
    for (std::size_t i = 0; i < sends.size(); ++i) {
        std::string item = R"({"user":)" + json_string(sends[i].user.str());
        item += R"(,"device":")" + sends[i].device.str() + R"(","status":")";
        item += std::string(send_text(results[i].state)) + '"';
        if (results[i].problem) item += R"(,"problem":)" + refusal_json(*results[i].problem, now);
        append_item(items, item + "}");
    }
    return R"({"results":)" + items + "]}";
}

asio::awaitable<Result<std::vector<storage::KeyCount>>> own_key_counts(Api& api, Caller caller)
{
    using Counts = std::vector<storage::KeyCount>;
    auto job = [user = caller.user,
                device = caller.device](storage::Connection& db) -> Result<Counts> {
        auto row = storage::find_device(db, protocol::localpart_of(user), device);
        if (!row) return fail(row);
        if (!*row) return refuse(Code::not_found, "no such device");
        return storage::key_counts(db, **row);
    };
    auto counts = co_await api.parts().commit.read(std::move(job));
    co_return counts;
}

}  // namespace entente::api
