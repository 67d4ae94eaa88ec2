#include "conformance/host/host.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include <sys/socket.h>

namespace entente::conformance {

namespace {

constexpr Millis handshake_time{10'000};
constexpr Millis idle_time{75'000};
constexpr Millis write_time{30'000};
constexpr Millis accept_step{100};
// The longest that a hanging reply keeps its connection.
constexpr Millis hang_time{120'000};
// Of the connection that this thread serves: the name of its host comes up within its handshake.
thread_local std::string local_address;

}  // namespace

Host::Host(const Endpoint& listen, Authority authority) : authority_(std::move(authority))
{
    std::string error;
    listener_ = listen_tcp(listen, error);
    if (!listener_.is_open())
        throw std::runtime_error(error + "; does another run, or another program, use it?");
    port_ = port_of(listener_.get());
    acceptor_ = std::thread([this] { accept_all(); });
}

Host::~Host()
{
    stopping_ = true;
    acceptor_.join();
    threads_.reap(true);
}

void Host::add(const std::string& name, std::shared_ptr<Site> site, CertificateFault fault)
{
    auto context = std::make_shared<const ServerContext>(authority_.issue(name, fault));
    const std::lock_guard lock(mutex_);
    entries_[name] = Entry{std::move(site), std::move(context)};
}

void Host::remove(const std::string& name)
{
    const std::lock_guard lock(mutex_);
    entries_.erase(name);
}

std::shared_ptr<const ServerContext> Host::context_for(std::string_view host)
{
    std::shared_ptr<Site> site;
    std::shared_ptr<const ServerContext> context;
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(host);
        if (found == entries_.end()) return nullptr;
        site = found->second.site;
        context = found->second.context;
    }
    site->on_connection();
    site->on_address(local_address);
    return context;
}

std::shared_ptr<Site> Host::site_of(const std::string& host)
{
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(host);
    return found == entries_.end() ? nullptr : found->second.site;
}

void Host::accept_all()
{
    while (!stopping_) {
        threads_.reap(false);
        const auto served = threads_.with([](const auto& workers) { return workers.size(); });
        if (served >= max_connections) {
            std::this_thread::sleep_for(accept_step);
            continue;
        }
        if (!wait_readable(listener_.get(), in(accept_step))) continue;
        Descriptor socket(
            ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket.is_open()) continue;
        ++seen_;
        threads_.add(
            std::move(socket), [](Threads::Worker&) {},
            [this](Threads::Worker& worker, Descriptor own) { serve(worker, std::move(own)); });
    }
}

void Host::serve(Threads::Worker& worker, Descriptor socket)
{
    Threads::Serving serving(threads_, worker);
    local_address = local_address_of(socket.get());
    auto accepted = accept_tls(*this, std::move(socket), in(handshake_time));
    if (!accepted.stream) {
        remember_broken(accepted);
        return;
    }
    serving.stream = std::move(accepted.stream);
    std::string rest;
    while (!stopping_) {
        const auto read = read_request(*serving.stream, rest, in(idle_time));
        if (!read.error.empty()) return;
        const auto site = site_of(accepted.host);
        if (!site) return;
        if (!answer(*serving.stream, site->serve(read.request))) return;
    }
}

void Host::remember_broken(const TlsServer& broken)
{
    if (const auto site = site_of(broken.host)) {
        site->on_broken_handshake(broken.error);
        return;
    }
    const std::lock_guard lock(mutex_);
    if (strays_.size() == max_strays) strays_.pop_front();
    strays_.push_back({broken.host, broken.error});
}

std::vector<Stray> Host::strays() const
{
    const std::lock_guard lock(mutex_);
    return {strays_.begin(), strays_.end()};
}

// False where the connection has ended.
bool Host::answer(Stream& stream, const Reply& reply)
{
    const auto wait = [&](Millis time) {
        const auto until = in(time);
        while (!stopping_ && Clock::now() < until)
            std::this_thread::sleep_for(std::min(left(until), accept_step));
    };
    wait(reply.pause);
    std::string_view octets = reply.octets;
    const auto step = reply.step == 0 ? octets.size() : reply.step;
    while (!octets.empty() && !stopping_) {
        if (!stream.write(octets.substr(0, step), in(write_time))) return false;
        if (reply.written) *reply.written += std::min(step, octets.size());
        octets.remove_prefix(std::min(step, octets.size()));
        if (!octets.empty()) wait(reply.step_pause);
    }
    const std::string filler(16'384, 'x');
    for (std::size_t written = 0; written < reply.endless && !stopping_; written += filler.size()) {
        if (!stream.write(filler, in(write_time))) return false;
        if (reply.written) *reply.written += filler.size();
    }
    switch (reply.end) {
        case Reply::End::keep: return true;
        case Reply::End::close: stream.close(); return false;
        case Reply::End::reset: stream.reset(); return false;
        case Reply::End::hang: {
            // Until the other side gives up, or the host ends.
            const auto until = in(hang_time);
            while (!stopping_ && Clock::now() < until) {
                const auto got = stream.read(in(accept_step));
                if (got.state == ReadState::closed || got.state == ReadState::reset) break;
            }
            return false;
        }
    }
    return false;
}

}  // namespace entente::conformance
