#include "api/passwords.hpp"

#include <array>
#include <functional>
#include <utility>

#include <sodium.h>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entente::api {
namespace {

constexpr unsigned long long passes = 2;
constexpr std::size_t memory_octets = 19 * 1024 * 1024;
constexpr std::size_t threads = 2;
constexpr std::size_t max_waiting = 64;

// A hash of a password that nobody can know, so that a look-up of an unknown name costs
// what a known one costs.
std::string nobodys_hash()
{
    std::array<char, 32> password{};
    randombytes_buf(password.data(), password.size());
    auto hash = hash_password({password.data(), password.size()});
    return hash ? *hash : std::string{};
}

}  // namespace

Result<void> check_password(std::string_view password)
{
    if (password.size() < min_password_octets)
        return refuse(Code::malformed, "/password: at least 8 octets");
    if (password.size() > max_password_octets)
        return refuse(Code::malformed, "/password: at most 256 octets");
    return {};
}

Result<std::string> hash_password(std::string_view password)
{
    std::array<char, crypto_pwhash_STRBYTES> out{};
    if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), passes, memory_octets,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return retry_later(Code::unavailable, "no memory for a password hash", 1);
    return std::string{out.data()};
}

bool password_matches(std::string_view stored, std::string_view password)
{
    const std::string terminated{stored};
    return crypto_pwhash_str_verify(terminated.c_str(), password.data(), password.size()) == 0;
}

struct PasswordPool::State {
    explicit State(asio::any_io_executor executor) : io(std::move(executor)), dummy(nobodys_hash())
    {
    }

    // Runs `job` on the pool and resumes on the I/O executor, which is kept at work.
    template <class T>
    asio::awaitable<T> run(std::function<T()> job)
    {
        auto initiate = [this](auto handler, std::function<T()> work) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            asio::post(pool, [shared = std::move(shared), work = std::move(work), executor = io,
                              guard = asio::make_work_guard(io)]() mutable {
                auto value = work();
                asio::post(executor,
                           [shared = std::move(shared), value = std::move(value)]() mutable {
                               (*shared)(std::move(value));
                           });
            });
        };
        return asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
            std::move(initiate), asio::use_awaitable, std::move(job));
    }

    asio::any_io_executor io;
    std::string dummy;
    std::size_t waiting = 0;  // on the I/O executor
    asio::thread_pool pool{threads};
};

PasswordPool::PasswordPool(asio::any_io_executor io)
    : state_(std::make_unique<State>(std::move(io)))
{
}

PasswordPool::~PasswordPool()
{
    state_->pool.join();
}

asio::awaitable<Result<std::string>> PasswordPool::hash(std::string password)
{
    if (state_->waiting >= max_waiting)
        co_return retry_later(Code::unavailable, "password pool is full", 1);
    ++state_->waiting;
    std::function<Result<std::string>()> job = [password = std::move(password)] {
        return hash_password(password);
    };
    auto hashed = co_await state_->run<Result<std::string>>(std::move(job));
    --state_->waiting;
    co_return hashed;
}

asio::awaitable<Result<bool>> PasswordPool::matches(std::string stored, std::string password)
{
    if (state_->waiting >= max_waiting)
        co_return retry_later(Code::unavailable, "password pool is full", 1);
    ++state_->waiting;
    const bool known = !stored.empty();
    if (!known) stored = state_->dummy;
    std::function<bool()> job = [stored = std::move(stored), password = std::move(password)] {
        return password_matches(stored, password);
    };
    const bool matched = co_await state_->run<bool>(std::move(job));
    --state_->waiting;
    co_return known&& matched;
}

}  // namespace entente::api
