#include "api/mail.hpp"

#include "api/people_wire.hpp"

namespace entente::api {
namespace {

constexpr std::size_t page_messages = 100;

}  // namespace

asio::awaitable<Result<std::optional<std::string>>> Mail::next_frame(const Caller& caller)
{
    using Frame = std::optional<std::string>;
    // Before the read: what comes while it is under way is read for once more.
    is_due_ = false;
    auto items = co_await people_.mail_after(caller.user, caller.device, sent_, page_messages);
    if (!items) co_return fail(items);
    if (items->empty()) co_return Frame{};
    sent_ = items->back().number;
    is_due_ = true;
    co_return Frame{mail_frame(*items)};
}

}  // namespace entente::api
