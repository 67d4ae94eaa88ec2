// The network between the machines: requests are lost before or behind their being served,
// come late, twice and out of order, their answers are cut off; links go down. Which of it
// happens to whom is the weather's and chance's. Serves nothing itself: that is whoever
// listens.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "net/http_client.hpp"
#include "net/http_message.hpp"
#include "net/task_group.hpp"
#include "tests/sim/chance.hpp"
#include "tests/sim/timeline.hpp"
#include "tests/sim/trace.hpp"

namespace entente::sim {

namespace asio = boost::asio;

using FetchResult = Result<net::FetchedResponse>;

// Shares in percent.
struct Weather {
    std::uint64_t lost = 0;       // never arrives
    std::uint64_t unheard = 0;    // served, but the answer never arrives, or is cut off
    std::uint64_t doubled = 0;    // arrives again later, as an attacker's replay would
    std::uint64_t slow = 0;       // takes seconds
    std::uint64_t very_slow = 0;  // takes minutes: the sender has given up and sent anew
};

// One request on its way, as its sender waits for it.
class Call {
 public:
    explicit Call(asio::any_io_executor executor) : done_(std::move(executor)) {}
    // The first answer counts.
    void answer(FetchResult result)
    {
        if (result_) return;
        result_ = std::move(result);
        done_.notify();
    }
    asio::awaitable<FetchResult> wait(milliseconds time);

 private:
    std::optional<FetchResult> result_;
    net::Wakeup done_;
};

// Who listens under a name: serves a request and calls `answer` once, or never.
using Answer = std::function<void(net::Response response)>;
using Listener = std::function<void(net::Request request, Answer answer)>;

class Network {
 public:
    Network(Timeline& time, Trace& trace, std::uint64_t seed)
        : time_(time), trace_(trace), chance_(seed)
    {
    }

    void listen(const std::string& name, Listener listener);
    void fall_silent(const std::string& name);  // nobody listens: refused
    void set_weather(Weather weather) { weather_ = weather; }
    void cut(const std::string& one, const std::string& other);
    void mend_all() { cut_.clear(); }
    // What it has sent and what hasn't arrived yet never does.
    void forget_sent_by(const std::string& name) { ++forgotten_[name]; }
    [[nodiscard]] std::size_t under_way() const { return under_way_; }

    // Changes what a machine says on its way out: how a liar lies. What is sent in place of a
    // request; an answer before it leaves.
    using Outgoing = std::function<std::vector<net::Request>(const std::string& to,
                                                             const net::Request& request)>;
    using Answering = std::function<void(const net::Request& request, net::Response& response)>;
    void spoil(const std::string& name, Outgoing requests, Answering answers);

    void send(const std::string& from, net::Fetch fetch, const std::shared_ptr<Call>& call);

 private:
    struct Spoiler {
        Outgoing requests;
        Answering answers;
    };
    [[nodiscard]] net::Request make_request(const std::string& from, net::Fetch& fetch);
    void dispatch(const std::string& from, const std::string& to, net::Request request,
                  const std::shared_ptr<Call>& call);
    [[nodiscard]] milliseconds delay();
    [[nodiscard]] bool is_cut(const std::string& one, const std::string& other) const;
    // Unless it is forgotten by then.
    void arrive_after(milliseconds time, const std::string& from, std::function<void()> arrival);
    void arrive(const std::string& from, const std::string& to, const net::Request& request,
                const std::shared_ptr<Call>& call, bool is_heard);
    void refuse(const std::shared_ptr<Call>& call, std::string why);

    Timeline& time_;
    Trace& trace_;
    Chance chance_;
    Weather weather_;
    std::map<std::string, Listener> listeners_;
    std::map<std::string, std::string> addresses_;
    std::map<std::string, Spoiler> spoilers_;
    std::set<std::pair<std::string, std::string>> cut_;
    std::map<std::string, int> forgotten_;  // how often, by sender
    std::size_t under_way_ = 0;
    std::uint64_t next_id_ = 0;
};

// A machine's way to the others.
class SimulatedClient final : public net::Fetcher {
 public:
    SimulatedClient(Network& network, std::string self, asio::any_io_executor executor)
        : network_(network), self_(std::move(self)), executor_(std::move(executor))
    {
    }
    asio::awaitable<FetchResult> fetch(net::Fetch fetch) override;

 private:
    Network& network_;
    std::string self_;
    asio::any_io_executor executor_;
};

}  // namespace entente::sim
