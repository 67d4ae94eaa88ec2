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
        if (result.problem) item += R"(,"problem":)" + protocol::problem_json(*result.problem, now);
        append_item(items, item + "}");
    }
    return R"({"keys":)" + items + "]}";
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
