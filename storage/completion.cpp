#include "storage/completion.hpp"

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entente::storage {
namespace {

template <class Handler>
class HandlerWaiter final : public Waiter,
                            public std::enable_shared_from_this<HandlerWaiter<Handler>> {
    using Executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

 public:
    HandlerWaiter(Handler handler, const asio::any_io_executor& io)
        : executor_(asio::get_associated_executor(handler, io)),
          slot_(asio::get_associated_cancellation_slot(handler)),
          work_(std::in_place, executor_),
          handler_(std::move(handler))
    {
    }

    // Weak: the slot lives in the coroutine's frame, which the handler owns.
    void watch_cancellation()
    {
        if (!slot_.is_connected()) return;
        std::weak_ptr<HandlerWaiter> weak = this->weak_from_this();
        slot_.assign([weak](asio::cancellation_type) {
            const auto self = weak.lock();
            if (self == nullptr || self->taken_.exchange(true)) return;
            // Posted: the emitter may stand in the middle of something.
            asio::post(self->executor_, [self] {
                self->finish(fail(Code::unavailable, "the wait for storage was cancelled"));
            });
        });
    }

    void complete(Result<void> result) override
    {
        if (taken_.exchange(true)) return;
        asio::dispatch(executor_,
                       [self = this->shared_from_this(), result = std::move(result)]() mutable {
                           self->finish(std::move(result));
                       });
    }

 private:
    void finish(Result<void> result)
    {
        if (slot_.is_connected()) slot_.clear();
        auto handler = std::move(*handler_);
        handler_.reset();
        work_.reset();
        std::move(handler)(std::move(result));
    }

    Executor executor_;
    asio::associated_cancellation_slot_t<Handler> slot_;
    std::optional<asio::executor_work_guard<Executor>> work_;
    std::optional<Handler> handler_;
    std::atomic<bool> taken_{false};
};

struct Initiation {
    asio::any_io_executor io;

    template <class Handler>
    void operator()(Handler&& handler, std::function<void(std::shared_ptr<Waiter>)> start) const
    {
        using Concrete = HandlerWaiter<std::decay_t<Handler>>;
        auto waiter = std::make_shared<Concrete>(std::forward<Handler>(handler), io);
        waiter->watch_cancellation();
        start(std::move(waiter));
    }
};

}  // namespace

asio::awaitable<Result<void>> wait_for(asio::any_io_executor io,
                                       std::function<void(std::shared_ptr<Waiter>)> start)
{
    Initiation initiation{std::move(io)};
    auto result = co_await asio::async_initiate<decltype(asio::use_awaitable), void(Result<void>)>(
        std::move(initiation), asio::use_awaitable, std::move(start));
    co_return result;
}

void post_to(const asio::any_io_executor& io, Completions completions,
             std::function<void(Error)> on_fatal)
{
    auto shared = std::make_shared<Completions>(std::move(completions));
    asio::post(io, [shared, told = std::move(on_fatal)] {
        // An action that throws is a bug of ours; those who wait for the commit are told of
        // it all the same, and the daemon stops: who follows live may have missed something.
        for (auto& action : shared->actions) {
            try {
                action();
            } catch (const std::exception& bug) {
                told(Error{Code::internal,
                           std::string("an action behind a commit threw: ") + bug.what(),
                           {},
                           0});
            }
        }
        for (auto& [waiter, result] : shared->results) waiter->complete(std::move(result));
    });
}

}  // namespace entente::storage
