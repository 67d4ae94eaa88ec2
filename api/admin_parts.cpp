#include "api/admin_parts.hpp"

#include <algorithm>
#include <charconv>

#include "api/route_parts.hpp"
#include "protocol/octets.hpp"

namespace entente::api {

namespace {

constexpr std::int64_t usual_limit = 50;

}  // namespace

Result<AdminPage> admin_page(const net::Request& request, std::int64_t most)
{
    auto limit = number_parameter(request, "limit", std::min(usual_limit, most), 1, most);
    if (!limit) return fail(limit);
    auto after = protocol::from_base64url(request.parameter("cursor").value_or(""));
    if (!after) return refuse(Code::malformed, "?cursor: not one of ours");
    return AdminPage{std::move(*after), static_cast<std::size_t>(*limit)};
}

Result<std::int64_t> number_behind(const AdminPage& page)
{
    std::int64_t before = 0;
    const auto* end = page.after.data() + page.after.size();
    const auto read = std::from_chars(page.after.data(), end, before);
    if (!page.after.empty() && (read.ec != std::errc{} || read.ptr != end || before < 1))
        return refuse(Code::malformed, "?cursor: not one of ours");
    return before;
}

std::string next_cursor(const std::string& last)
{
    return last.empty() ? "null" : '"' + protocol::to_base64url(last) + '"';
}

}  // namespace entente::api
