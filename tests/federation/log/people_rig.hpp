// Two servers of the log rig that answer each other's queries about people, and devices on
// them.
#pragma once

#include "federation/log/invitation_events.hpp"
#include "federation/people/local_people.hpp"
#include "federation/people/people_answers.hpp"
#include "protocol/problem.hpp"
#include "storage/account_store.hpp"
#include "storage/device_store.hpp"
#include "tests/federation/log/log_rig.hpp"

namespace entente::federation::log_rig {

[[nodiscard]] inline Uuid device_id(int number)
{
    Uuid made;
    made.octets[15] = static_cast<std::uint8_t>(number);
    return made;
}

// What hears of people on one server.
struct HeardPeople final : PeopleListener {
    void keys_low(const LowKeys& low) override { lows.push_back(low); }
    void mail_came(const UserId& user, const Uuid& device) override
    {
        mailed.emplace_back(user.str(), device);
    }
    void user_changed(const UserId& user, const std::vector<UserId>& audience) override
    {
        changed.emplace_back(user.str(), audience);
    }
    void signalled(const protocol::LiveSignal& signal) override
    {
        signals.push_back(protocol::write_signal(signal));
    }
    std::vector<std::pair<std::string, std::vector<UserId>>> changed;
    std::vector<std::string> signals;
    std::vector<LowKeys> lows;
    std::vector<std::pair<std::string, Uuid>> mailed;
};

struct PeopleServer {
    PeopleServer(Server& on, PeopleServer*& peer) : server(on), other(peer) { open(); }

    void open()
    {
        const auto ask = [this](ServerName, std::string method, std::string target,
                                std::string body) {
            return other->answer(server, std::move(method), std::move(target), std::move(body));
        };
        people = std::make_unique<LocalPeople>(
            LocalPeopleParts{server.identity, *server.store, *server.commits, *server.tasks,
                             server.world.clock, server.world.random, ask,
                             [this](const ServerName& peer) { server.woken.push_back(peer.str()); },
                             [this](const ServerName& peer, const protocol::LiveSignal& signal) {
                                 passed.emplace_back(peer.str(), protocol::write_signal(signal));
                             },
                             server.enforcer.get()});
        people->listen(heard);
        people->add_handlers(*server.direct);
        server.direct->handle("invite.withdraw",
                              withdrawal_handler(server.identity, [this](const UserId& user) {
                                  withdrawn.push_back(user.str());
                              }));
        inbox = std::make_unique<Inbox>(InboxParts{
            server.identity, *server.verifier, *server.home, *server.follower, *server.direct,
            *server.commits, *server.budgets, server.world.clock, server.refused,
            &people->signals(), [this](const ServerName& name) {
                const auto found = tiers_elsewhere.find(name.str());
                return found == tiers_elsewhere.end() ? trust::Tier::trusted : found->second;
            }});
        settlement = std::make_unique<Settlement>(
            SettlementParts{server.identity, *server.verifier, *server.follower, *server.store,
                            *server.commits, *server.notices, log, server.world.clock,
                            [](const ChannelId&, const ServerName&) { return true; },
                            [this](storage::WriteTransaction& transaction,
                                   const storage::DirectRow& row, Code problem) {
                                return people->messages().refused(transaction, row, problem,
                                                                  server.world.clock.now_ms());
                            }});
        answers = std::make_unique<PeopleAnswers>(server.identity, *server.commits,
                                                  people->claims(), *server.budgets,
                                                  server.world.clock, server.enforcer.get());
    }
    ~PeopleServer() { finish(); }
    PeopleServer(const PeopleServer&) = delete;
    PeopleServer& operator=(const PeopleServer&) = delete;

    // Until nothing is under way behind what was answered.
    void finish()
    {
        while (server.tasks->size() > 0) {
            server.world.io.restart();
            server.world.io.run_one();
        }
    }
    void restart()
    {
        finish();
        settlement.reset();
        inbox.reset();
        answers.reset();
        people.reset();
        server.restart();
        open();
    }

    // What this server answers to a query of `asker`, as it would arrive.
    asio::awaitable<Result<Answer>> answer(Server& asker, std::string method, std::string target,
                                           std::string body)
    {
        ++asked;
        net::Request request;
        request.body = std::move(body);
        request.captures.push_back(target.substr(target.rfind('/') + 1));
        const Admitted admitted{asker.identity.name, asker.identity.key_ref(), server.tier, ""};
        net::Response response;
        if (method == "POST")
            response = co_await answers->claim(request, admitted);
        else
            response = co_await answers->user(request, admitted);
        Answer made;
        made.status = response.status;
        made.is_signed = true;
        if (response.status != 200) made.problem = protocol::parse_problem(response.body);
        made.body = std::move(response.body);
        co_return made;
    }

    // What is owed to the other, once; nothing where the answer got lost on its way.
    std::optional<protocol::TransactionResult> deliver(bool lose_answer = false)
    {
        auto draft = server.read([&](storage::Connection& db) {
            return read_batch(db, server.identity.name, other->server.identity.name, BatchLimits{},
                              Held{});
        });
        if (!draft || draft->empty()) return std::nullopt;
        auto result = other->server.receive(
            server, sign_batch(*draft, server.identity, server.world.clock.now_ms()));
        if (lose_answer) return std::nullopt;
        auto settled =
            server.world.run(settlement->settle(other->server.identity.name, *draft, result));
        EXPECT_TRUE(settled) << settled.error().detail;
        return result;
    }
    // Signals of another server, as they arrive: the status of each.
    std::vector<std::string> receive_signals(const Server& origin, std::vector<std::string> signals)
    {
        protocol::OutgoingTransaction transaction;
        transaction.signals = std::move(signals);
        net::Request request;
        request.method = "POST";
        request.body = protocol::write_transaction(transaction);
        const Admitted admitted{origin.identity.name, origin.identity.key_ref(), server.tier, ""};
        const auto response = server.world.run(inbox->receive(request, admitted));
        const auto result = protocol::parse_result(response.body, server.identity.names);
        std::vector<std::string> statuses;
        for (const auto& signal : result.value().signals)
            statuses.emplace_back(protocol::to_text(signal.status));
        return statuses;
    }
    // What a device finds in its mailbox.
    std::vector<MailItem> mail(const std::string& localpart, int device, std::int64_t after = 0)
    {
        return server.world
            .run(people->mail_after(server.user(localpart), device_id(device), after, 10'000))
            .value();
    }

    // A device of one of the rig's users with that many one-time keys.
    void add_device(const std::string& localpart, int number, int keys = 0)
    {
        auto added = server.write([&](storage::WriteTransaction& transaction) -> Result<void> {
            auto& db = transaction.db();
            auto user = storage::find_user(db, localpart);
            if (!user) return fail(user);
            storage::NewSession session;
            session.id = protocol::make_uuid7(server.world.clock.now, server.world.random);
            session.user = user->id;
            session.device = {device_id(number), std::string(32, 'k'), ""};
            session.refresh_hash = protocol::sha256(session.id.bytes());
            session.expires_at = server.world.clock.now + 1'000'000'000;
            if (auto made = storage::create_session(db, session); !made) return made;
            auto device = storage::find_device(db, localpart, device_id(number));
            if (!device) return fail(device);
            storage::KeyUpload upload;
            for (int i = 1; i <= keys; ++i)
                upload.one_time.push_back({"x3dh", i, "{\"n\":" + std::to_string(i) + "}"});
            return storage::upload_keys(db, **device, upload);
        });
        ASSERT_TRUE(added) << added.error().detail;
    }

    Server& server;
    PeopleServer*& other;
    std::unique_ptr<LocalPeople> people;
    std::unique_ptr<PeopleAnswers> answers;
    std::unique_ptr<Settlement> settlement;
    std::unique_ptr<Inbox> inbox;
    std::vector<std::pair<std::string, std::string>> passed;  // signals, by the peer's link
    std::vector<std::string> withdrawn;                       // whose invitation
    std::map<std::string, trust::Tier> tiers_elsewhere;       // of whom others speak
    protocol::NullLog log;
    HeardPeople heard;
    int asked = 0;
};

struct TwoPeopleServers {
    Servers servers;
    PeopleServer* peer_of_a = nullptr;
    PeopleServer* peer_of_b = nullptr;
    PeopleServer a{servers.a, peer_of_a};
    PeopleServer b{servers.b, peer_of_b};
    TwoPeopleServers()
    {
        peer_of_a = &b;
        peer_of_b = &a;
    }
};

}  // namespace entente::federation::log_rig
