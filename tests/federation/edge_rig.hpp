// What the tests of the edge stand on: servers with names, real TLS listeners on loopback,
// real stores in a folder of their own, and a clock that moves only when told. One thread
// runs all of it but the storage's own.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "federation/discovery/well_known.hpp"
#include "federation/gate/answers.hpp"
#include "federation/gate/gate.hpp"
#include "federation/gate/signed_client.hpp"
#include "net/http_server.hpp"
#include "net/tls.hpp"
#include "storage/group_commit.hpp"

namespace entente::federation::testing_rig {

class ManualClock final : public protocol::Clock {
 public:
    [[nodiscard]] Millis now_ms() const override { return now_; }
    void advance(Millis time) { now_ += time; }

 private:
    Millis now_ = 1'763'683'200'000;
};

// A folder that goes with its owner.
class Folder {
 public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const
    {
        return (path_ / name).string();
    }

 private:
    std::filesystem::path path_;
};

struct Certificate {
    std::string certificate_file;
    std::string key_file;
};
// For every name that the tests use; made once per process.
const Certificate& certificate();

// The world that the servers of one test share.
struct World {
    World();
    asio::io_context io;
    ManualClock clock;
    protocol::SystemRandom random;
    std::map<std::string, asio::ip::tcp::endpoint> places;
    Folder folder;
    std::exception_ptr bug;

    template <class T>
    T run(asio::awaitable<T> task)
    {
        std::optional<T> result;
        bool done = false;
        asio::co_spawn(io, keep(std::move(task), result), [&](const std::exception_ptr& thrown) {
            done = true;
            if (thrown) bug = thrown;
        });
        while (!done) io.run_one();
        if (bug) std::rethrow_exception(bug);
        return std::move(*result);
    }
    void run(asio::awaitable<void> task);
    // Runs what is ready.
    void poll() { io.poll(); }

 private:
    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> task, std::optional<T>& result)
    {
        result.emplace(co_await std::move(task));
    }
};

// A server: its listener first, so that others can find it; what it fetches with, keeps
// and admits by comes with open().
struct Node {
    Node(World& shared, const std::string& name);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    void open();
    // Ends everything but the listener and forgets what is in memory.
    void close();
    void restart()
    {
        close();
        open();
    }
    [[nodiscard]] KeyRef key_ref() const { return identity.key_ref(); }

    World& world;
    Identity identity;

    // What it serves. `hold` keeps the answers to discovery back until it is cancelled.
    std::optional<net::Response> served;
    std::optional<net::Response> served_by_delegate;
    std::unique_ptr<asio::steady_timer> hold;
    int fetched = 0;
    std::function<asio::awaitable<net::Response>(net::Request&)> inbox;

    net::AddressGuard guard;
    DiscoveryOptions discovery_options;
    trust::TierConfig tier_config;
    std::shared_ptr<trust::policy::Policies> policies = trust::policy::shipped_alone();
    std::unique_ptr<trust::policy::Enforcer> enforcer;
    trust::BudgetOptions budget_options;
    std::vector<std::string> notices;

    std::unique_ptr<net::TaskGroup> tasks;
    std::unique_ptr<net::HttpClient> http;
    std::unique_ptr<storage::GroupCommit> commits;
    std::unique_ptr<storage::PinStore> pins;
    std::unique_ptr<trust::KeyRing> ring;
    std::unique_ptr<Discovery> discovery;
    std::unique_ptr<storage::ReplayMemory> nonces;
    std::unique_ptr<asio::thread_pool> pool;
    std::unique_ptr<trust::Tiers> tiers;
    std::unique_ptr<trust::Budgets> budgets;
    std::unique_ptr<Gate> gate;
    std::unique_ptr<SignedClient> client;

 private:
    asio::awaitable<net::Response> serve_document(const net::Request& request);
    asio::awaitable<net::Response> serve_inbox(net::Request& request);
    void listen();

    std::unique_ptr<net::TaskGroup> listening_;
    std::unique_ptr<net::HttpServer> server_;
};

[[nodiscard]] net::Response text_response(int status, std::string body);

}  // namespace entente::federation::testing_rig
