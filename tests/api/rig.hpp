// What the API's tests stand on: the real HTTPS server on loopback, the real SQLite store
// in a folder of its own, a clock that moves only when told; and, in the place of the
// federation floor, channels kept in memory, whose commits a test can time.
#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api/metrics.hpp"
#include "federation/conduct/conduct.hpp"
#include "federation/conduct/peering.hpp"
#include "federation/people/directory.hpp"
#include "federation/people/local_people.hpp"
#include "memory_channels.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"

namespace entente::api::testing {

using nlohmann::json;

class ManualClock final : public protocol::Clock {
 public:
    [[nodiscard]] protocol::Millis now_ms() const override { return now_; }
    void advance_s(protocol::Seconds time) { now_ += time * 1000; }

 private:
    std::atomic<protocol::Millis> now_{1'763'683'200'000};
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

struct Answer {
    int status = 0;
    net::Fields fields;
    json body;
    std::string text;
    [[nodiscard]] std::string field(const std::string& name) const;
    [[nodiscard]] std::string code() const;  // of a problem
    [[nodiscard]] std::string hint() const;
};

// Free of limits but those that a test is about.
ApiOptions roomy_options();
const std::string& certificate_file();

// A person who is logged in.
struct Person {
    std::string user;
    std::string access;
    std::string refresh;
};

// In the place of what proves an entry: says yes, or what a test wants, and notes what goes out.
class NotedPassing final : public federation::ReportPassing {
 public:
    asio::awaitable<Result<federation::ProvenReport>> prove(federation::Report report,
                                                            bool with_content) override
    {
        if (problem) co_return protocol::Failure{*problem};
        federation::ProvenReport made;
        made.server = protocol::server_of(report.user);
        made.with_content = with_content;
        co_return made;
    }
    Result<void> pass(storage::WriteTransaction& transaction,
                      const federation::ProvenReport& report) override
    {
        transaction.after_commit(
            [this, server = report.server] { passed.push_back(server.str()); });
        return {};
    }
    std::optional<Error> problem;
    std::vector<std::string> passed;
};

// In the place of what counts in standings: `proof` is what an upheld report is proven by.
class NotedUpheld final : public federation::UpheldReports {
 public:
    asio::awaitable<Result<trust::Proof>> evidence(federation::Report) override
    {
        ++asked;
        if (!proof) co_return fail(Code::not_found, "nothing proves it");
        co_return *proof;
    }
    Result<void> count(storage::WriteTransaction& transaction, const trust::Proof& by,
                       std::int64_t report, protocol::Millis now) override
    {
        return storage::note_upheld(transaction.db(), by.server(), report, now);
    }
    std::optional<trust::Proof> proof;
    int asked = 0;
};

class Rig {
 public:
    explicit Rig(ApiOptions options = roomy_options());
    ~Rig();
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    Answer post(const std::string& path, const json& body, const std::string& token = {});
    Answer post_text(const std::string& path, const std::string& body,
                     const std::string& type = "application/json", const std::string& token = {},
                     const std::string& encoding = {});
    Answer get(const std::string& path, const std::string& token = {});
    Answer get_with(const std::string& path, const net::Fields& fields);
    Answer request(const std::string& method, const std::string& path, const json& body,
                   const std::string& token);

    // "alice", with a password of her own and a device.
    Person person(const std::string& name);
    std::string ticket(const Person& person);
    std::uint16_t port() const { return server_->local().port(); }

    // Ends the daemon and starts it again on the same folder.
    void restart();
    // Runs on the I/O thread and returns what it returns.
    template <class T>
    T await(asio::awaitable<T> task)
    {
        return asio::co_spawn(*io_, std::move(task), asio::use_future).get();
    }
    template <class Action>
    void on_io(Action action)
    {
        asio::post(*io_, std::packaged_task<void()>{std::move(action)}).get();
    }

    ManualClock clock;
    MemoryChannels channels;
    trust::policy::Enforcer policies{trust::policy::shipped_alone(), clock};
    trust::Tier tier_of_files = trust::Tier::guest;  // of every server that has some
    NotedPassing report_passing;
    NotedUpheld upheld;
    // What another server answers to a signed GET.
    std::function<Result<federation::Answer>(const std::string& server, const std::string& target)>
        elsewhere;
    Metrics metrics;
    std::function<Result<void>()> ready = [] { return Result<void>{}; };
    storage::GroupCommit& commit() { return *commit_; }
    Api& api() { return *api_; }
    federation::Conduct& conduct() { return *conduct_; }
    std::vector<std::string> disputed;  // servers whose keys are
    // What another server answers to a query; nobody is there until a test says so.
    std::function<federation::Answer(const protocol::ServerName& server, const std::string& target,
                                     const std::string& body)>
        answer_query;
    std::vector<std::string> woken;                           // servers that are owed something
    std::vector<std::pair<std::string, std::string>> passed;  // signals, by the peer

 private:
    void start();
    void stop();
    Answer send(net::Fetch fetch);
    asio::awaitable<Result<federation::Answer>> ask(protocol::ServerName server, std::string target,
                                                    std::string body);
    static net::Fetch with_body(const std::string& method, const std::string& path,
                                const std::string& body, const std::string& type,
                                const std::string& token);

    ApiOptions options_;
    Folder folder_;
    std::unique_ptr<asio::io_context> io_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::thread thread_;
    protocol::SystemRandom random_;
    protocol::NullLog log_;
    std::unique_ptr<net::TaskGroup> tasks_;
    std::unique_ptr<storage::GroupCommit> commit_;
    std::unique_ptr<federation::Directory> directory_;
    std::unique_ptr<storage::ChannelLogStore> store_;
    federation::Identity identity_;
    asio::thread_pool pool_{1};
    std::unique_ptr<federation::LocalPeople> people_;
    std::unique_ptr<federation::Media> media_;
    std::unique_ptr<trust::Tiers> tiers_;
    std::unique_ptr<federation::Conduct> conduct_;
    std::unique_ptr<federation::Peering> peering_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<net::HttpServer> server_;
    std::unique_ptr<net::HttpClient> client_;
};

// A request body with a device whose id is made of `number`.
json credentials(const std::string& name, const std::string& password, int number = 1);
std::string uuid(int number);
std::string device_key(int number);

}  // namespace entente::api::testing
