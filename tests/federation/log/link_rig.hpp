// What the tests of peer links stand on: links of one server of the rig to the others, over
// whatever way to them a test puts in between.
#pragma once

#include "federation/links/peer_links.hpp"

#include <algorithm>
#include <cctype>

#include <boost/asio/detached.hpp>

#include "protocol/message_signature.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {

// What `peer` answers to a request, signed.
inline net::FetchedResponse signed_answer(Server& peer, const net::Fetch& request, int status,
                                          std::string body)
{
    const auto is_signature = [](const auto& field) {
        return field.first == "Signature" || field.first == "signature";
    };
    const auto signature = std::ranges::find_if(request.fields, is_signature);
    net::FetchedResponse response;
    response.status = status;
    response.body = std::move(body);
    for (auto& [name, value] :
         protocol::sign_answer(peer.identity.key, peer.identity.name, response.status,
                               response.body, signature->second, peer.world.clock.now_s())) {
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        response.fields.emplace_back(name, value);
    }
    return response;
}

// What the inbox of `peer` answers to a request of `from`, whatever lies between them.
inline asio::awaitable<net::FetchedResponse> answer_of(Server& peer, const Server& from,
                                                       const net::Fetch& fetch)
{
    net::Request request;
    request.method = "POST";
    request.body = fetch.body;
    const Admitted admitted{from.identity.name, from.identity.key_ref(), peer.tier, ""};
    auto response = co_await peer.inbox->receive(request, admitted);
    co_return signed_answer(peer, fetch, response.status, std::move(response.body));
}

// The links of `from`; they end with it.
class LinksOf {
 public:
    LinksOf(Server& from, net::Fetcher& way, std::chrono::milliseconds patience,
            protocol::Log* log = nullptr)
        : from_(from),
          client_(from.identity, *from.discovery, way, from.world.clock, from.world.random),
          links_(parts(from, client_, patience, log), *from.tasks)
    {
    }
    ~LinksOf()
    {
        run([this] {
            const bool has_ended =
                links_.running() == 0 && (!has_stopped_ || from_.tasks->size() == 0);
            return has_ended || stop();
        });
    }
    LinksOf(const LinksOf&) = delete;
    LinksOf& operator=(const LinksOf&) = delete;

    [[nodiscard]] PeerLinks& operator*() { return links_; }
    [[nodiscard]] PeerLinks* operator->() { return &links_; }
    template <class Condition>
    void run(Condition is_met)
    {
        const auto end = std::chrono::steady_clock::now() + longest_run;
        from_.world.io.restart();
        while (!is_met()) {
            const auto left = end - std::chrono::steady_clock::now();
            ASSERT_GT(from_.world.io.run_one_for(left), 0U) << "it doesn't come to that";
        }
    }
    [[nodiscard]] bool waits(const Server& peer) const
    {
        const auto state = links_.state_of(peer.identity.name);
        return state && state->next_try > 0;
    }

 private:
    // Only where something is wrong does it take so long.
    static constexpr std::chrono::seconds longest_run{40};

    static LinkParts parts(Server& from, SignedClient& client, std::chrono::milliseconds patience,
                           protocol::Log* log)
    {
        LinkParts made{from.identity,
                       *from.discovery,
                       client,
                       *from.settlement,
                       *from.commits,
                       log == nullptr ? from.null_log : *log,
                       from.world.clock,
                       from.world.random,
                       {},
                       {}};
        made.patience = patience;
        return made;
    }
    bool stop()
    {
        if (!has_stopped_) asio::co_spawn(from_.world.io, from_.tasks->stop(), asio::detached);
        has_stopped_ = true;
        return false;
    }

    Server& from_;
    SignedClient client_;
    PeerLinks links_;
    bool has_stopped_ = false;
};

}  // namespace entente::federation::log_rig
