// What may block runs on a pool's thread while the caller's coroutine waits. One hand-over
// there and one back: a coroutine that is spawned on the pool takes one more, since Asio
// posts what ends without having waited.
#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entente::federation {

namespace asio = boost::asio;

// Runs `work` to its end, whatever becomes of who waits: it holds values. Resumes on the
// caller's executor; what `work` throws is thrown there.
template <std::invocable Work>
asio::awaitable<std::invoke_result_t<Work&>> run_blocking(asio::any_io_executor pool, Work work)
{
    struct Job {
        Work work;
        std::optional<std::invoke_result_t<Work&>> outcome;
        std::exception_ptr thrown;
    };
    auto job = std::make_shared<Job>(Job{std::move(work), std::nullopt, nullptr});
    const auto start = [](auto handler, asio::any_io_executor on, std::shared_ptr<Job> started) {
        auto back = asio::make_work_guard(asio::get_associated_executor(handler));
        asio::post(on, [handler = std::move(handler), back = std::move(back), started]() mutable {
            try {
                started->outcome.emplace(started->work());
            } catch (...) {
                started->thrown = std::current_exception();
            }
            asio::dispatch(back.get_executor(), [handler = std::move(handler), started]() mutable {
                std::move(handler)(started->thrown);
            });
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
        start, asio::use_awaitable, std::move(pool), job);
    co_return std::move(*job->outcome);
}

}  // namespace entente::federation
