#pragma once

// The threads of a listener, one for each connection that it serves: begun as connections come,
// joined once they have ended, and ended together with it. What else is known of a connection,
// `Facts`, is the listener's business.

#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <sys/socket.h>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance {

template <typename Facts>
class ConnectionThreads {
 public:
    struct Worker : Facts {
        std::thread thread;
        int descriptor = -1;
        std::atomic<bool> done{false};
    };

    // A connection's stream while its thread serves it. The descriptor's number may be another's as
    // soon as it is closed: done is said before.
    class Serving {
     public:
        Serving(ConnectionThreads& threads, Worker& worker) : threads_(threads), worker_(worker) {}
        ~Serving()
        {
            const std::lock_guard lock(threads_.mutex_);
            worker_.done = true;
            stream.reset();
        }
        Serving(const Serving&) = delete;
        Serving& operator=(const Serving&) = delete;

        std::unique_ptr<Stream> stream;

     private:
        ConnectionThreads& threads_;
        Worker& worker_;
    };

    // `begin` writes the facts; `serve` runs on the new thread, with the worker and the socket.
    template <typename Begin, typename Serve>
    void add(Descriptor socket, Begin begin, Serve serve)
    {
        const std::lock_guard lock(mutex_);
        auto& worker = workers_.emplace_back();
        worker.descriptor = socket.get();
        begin(worker);
        worker.thread = std::thread([serve, &worker, moved = std::move(socket)]() mutable {
            serve(worker, std::move(moved));
        });
    }

    // Joins those that have ended; `all`: ends and joins the others too.
    void reap(bool all)
    {
        std::list<Worker> ended;
        {
            const std::lock_guard lock(mutex_);
            for (auto at = workers_.begin(); at != workers_.end();) {
                const auto next = std::next(at);
                if (all && !at->done) ::shutdown(at->descriptor, SHUT_RDWR);
                if (all || at->done) ended.splice(ended.end(), workers_, at);
                at = next;
            }
        }
        for (auto& worker : ended) worker.thread.join();
    }

    // `action` sees the list of workers while nothing is added to it or taken away.
    template <typename Action>
    auto with(Action action)
    {
        const std::lock_guard lock(mutex_);
        return action(workers_);
    }

 private:
    std::mutex mutex_;
    std::list<Worker> workers_;
};

}  // namespace entente::conformance
