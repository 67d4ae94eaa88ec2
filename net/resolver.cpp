#include "net/resolver.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <ares.h>
#include <netinet/in.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/await.hpp"

namespace entente::net {

namespace asio = boost::asio;
using boost::system::error_code;
using Addresses = std::vector<asio::ip::address>;
using Descriptor = asio::posix::stream_descriptor;

namespace {

constexpr std::size_t max_addresses = 32;

// One name's lookup: a channel of c-ares, its sockets watched by Asio. Lives until the
// waiter has its answer; what Asio calls back holds it weakly.
class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
    explicit Lookup(const asio::any_io_executor& executor)
        : executor_(executor), retry_timer_(executor), done_timer_(executor)
    {
    }
    ~Lookup()
    {
        // Ends a query that is still under way, which calls `answered` and lets go of the sockets.
        if (channel_ != nullptr) ares_destroy(channel_);
    }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    [[nodiscard]] Result<void> start(const std::string& host, const std::string& servers)
    {
        ares_options options{};
        options.sock_state_cb = &Lookup::socket_changed;
        options.sock_state_cb_data = this;
        options.timeout = 2'000;  // milliseconds, of the first try
        options.tries = 3;
        const int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
        if (const int status = ares_init_options(&channel_, &options, mask)) {
            channel_ = nullptr;
            return fail(Code::unavailable, std::string("DNS: ") + ares_strerror(status));
        }
        if (!servers.empty()) {
            if (const int status = ares_set_servers_ports_csv(channel_, servers.c_str())) {
                return fail(Code::unavailable,
                            std::string("DNS servers: ") + ares_strerror(status));
            }
        }
        ares_addrinfo_hints hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Lookup::answered, this);
        arm_retry();
        return {};
    }

    asio::awaitable<Result<Addresses>> wait(std::chrono::steady_clock::time_point deadline)
    {
        const auto self = shared_from_this();
        if (!done_) {
            done_timer_.expires_at(deadline);
            co_await done_timer_.async_wait(as_result);
        }
        if (!done_) co_return fail(Code::timeout, "no answer from DNS in time");
        if (status_ != ARES_SUCCESS) {
            co_return fail(Code::unavailable, std::string("DNS: ") + ares_strerror(status_));
        }
        if (addresses_.empty()) co_return fail(Code::unavailable, "DNS: no address");
        co_return addresses_;
    }

 private:
    struct Watch {
        Watch(const asio::any_io_executor& executor, int socket) : descriptor(executor, socket) {}
        Descriptor descriptor;
        bool wants_read = false, wants_write = false;
        bool reading = false, writing = false;
    };
    using WatchPtr = std::shared_ptr<Watch>;

    static void answered(void* self, int status, int, ares_addrinfo* info)
    {
        static_cast<Lookup*>(self)->finish(status, info);
    }

    void finish(int status, ares_addrinfo* info)
    {
        done_ = true;
        status_ = status;
        for (auto* node = info != nullptr ? info->nodes : nullptr; node != nullptr;
             node = node->ai_next) {
            add(node->ai_addr);
        }
        if (info != nullptr) ares_freeaddrinfo(info);
        retry_timer_.cancel();
        done_timer_.cancel();
    }

    void add(const sockaddr* address)
    {
        if (addresses_.size() >= max_addresses) return;
        asio::ip::address found;
        if (address->sa_family == AF_INET) {
            const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
            found = asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
        } else if (address->sa_family == AF_INET6) {
            const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
            asio::ip::address_v6::bytes_type bytes;
            std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
            found = asio::ip::address_v6(bytes);
        } else {
            return;
        }
        if (std::find(addresses_.begin(), addresses_.end(), found) == addresses_.end()) {
            addresses_.push_back(found);
        }
    }

    static void socket_changed(void* self, ares_socket_t socket, int readable, int writable)
    {
        static_cast<Lookup*>(self)->watch(socket, readable != 0, writable != 0);
    }

    void watch(int socket, bool read, bool write)
    {
        if (!read && !write) {
            // c-ares is about to close it: Asio must not.
            const auto found = watches_.find(socket);
            if (found == watches_.end()) return;
            found->second->wants_read = found->second->wants_write = false;
            found->second->descriptor.release();
            watches_.erase(found);
            return;
        }
        auto& watched = watches_[socket];
        if (!watched) watched = std::make_shared<Watch>(executor_, socket);
        watched->wants_read = read;
        watched->wants_write = write;
        wait_on(watched);
    }

    void wait_on(const WatchPtr& watched)
    {
        if (watched->wants_read && !watched->reading) {
            watched->reading = true;
            watched->descriptor.async_wait(Descriptor::wait_read,
                                           [weak = weak_from_this(), watched](error_code error) {
                                               watched->reading = false;
                                               const auto self = weak.lock();
                                               if (self && !error) self->process(watched, true);
                                           });
        }
        if (watched->wants_write && !watched->writing) {
            watched->writing = true;
            watched->descriptor.async_wait(Descriptor::wait_write,
                                           [weak = weak_from_this(), watched](error_code error) {
                                               watched->writing = false;
                                               const auto self = weak.lock();
                                               if (self && !error) self->process(watched, false);
                                           });
        }
    }

    void process(const WatchPtr& watched, bool read)
    {
        if (read ? !watched->wants_read : !watched->wants_write) return;
        const int socket = watched->descriptor.native_handle();
        ares_process_fd(channel_, read ? socket : ARES_SOCKET_BAD, read ? ARES_SOCKET_BAD : socket);
        wait_on(watched);
        arm_retry();
    }

    // c-ares asks again, or another server, when it is called at the right time.
    void arm_retry()
    {
        if (done_) return;
        timeval most{10, 0}, next{};
        const auto* when = ares_timeout(channel_, &most, &next);
        const auto time = std::chrono::seconds(when->tv_sec) +
                          std::chrono::microseconds(when->tv_usec) + std::chrono::milliseconds(1);
        retry_timer_.expires_after(time);
        retry_timer_.async_wait([weak = weak_from_this()](error_code error) {
            const auto self = weak.lock();
            if (!self || error || self->done_) return;
            ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
            self->arm_retry();
        });
    }

    asio::any_io_executor executor_;
    asio::steady_timer retry_timer_;
    asio::steady_timer done_timer_;
    std::map<int, WatchPtr> watches_;
    ares_channel channel_ = nullptr;
    Addresses addresses_;
    int status_ = ARES_SUCCESS;
    bool done_ = false;
};

bool initialise_library()
{
    static const int status = ares_library_init(ARES_LIB_INIT_ALL);
    return status == ARES_SUCCESS;
}

}  // namespace

asio::awaitable<Result<Addresses>> resolve_host(std::string host, std::string servers,
                                                std::chrono::steady_clock::time_point deadline)
{
    if (!initialise_library()) co_return fail(Code::unavailable, "DNS: no library");
    const auto executor = co_await asio::this_coro::executor;
    const auto lookup = std::make_shared<Lookup>(executor);
    auto started = lookup->start(host, servers);
    if (!started) co_return fail(started);
    co_return co_await lookup->wait(deadline);
}

}  // namespace entente::net
