// Accounts by the client API of Entente: docs/reference/client-api.md of the daemon.
#include <mutex>
#include <utility>

#include <nlohmann/json.hpp>

#include "conformance/target/accounts.hpp"
#include "conformance/target/connection.hpp"
#include "conformance/wire/keys.hpp"
#include "conformance/wire/octets.hpp"

namespace entente::conformance {

namespace {

constexpr std::size_t page_size = 1'000;

class ClientApi final : public Accounts {
 public:
    explicit ClientApi(const TargetFile& target)
        : first_(target.first),
          second_(target.second),
          door_(split_origin(target.client_api).host, split_origin(target.client_api).port,
                target.client_connect ? target.client_connect : target.connect, target.ca_file),
          connection_(door_)
    {
        first_token_ = enter("first", first_, target.register_accounts);
        second_token_ = enter("second", second_, target.register_accounts);
    }

    std::string user(Who who) const override
    {
        return who == Who::first ? first_.user : second_.user;
    }

    std::string create_channel(Who who, const ChannelWish& wish) override
    {
        const nlohmann::json body = {{"txn", fresh_uuid()},
                                     {"name", "Conformance"},
                                     {"public", wish.is_public},
                                     {"history", wish.history}};
        return ask(who, "POST", "/channels", body, 201).value("channel", "");
    }

    std::string post(Who who, const std::string& channel, const std::string& text) override
    {
        const nlohmann::json body = {{"txn", fresh_uuid()}, {"content", {{"text", text}}}};
        return ask(who, "POST", "/channels/" + channel + "/messages", body, 201).value("event", "");
    }

    std::vector<Message> messages(Who who, const std::string& channel) override
    {
        std::vector<Message> all;
        std::uint64_t after = 0;
        for (;;) {
            const auto page =
                ask(who, "GET",
                    "/channels/" + channel + "/messages?after=" + std::to_string(after) +
                        "&limit=" + std::to_string(page_size),
                    nullptr, 200, 404);
            const auto entries = page.value("entries", nlohmann::json::array());
            if (entries.empty()) return all;
            for (const auto& entry : entries) {
                after = entry.value("seq", after + 1);
                all.push_back(read(entry));
            }
        }
    }

    void join(Who who, const std::string& channel) override { act(who, channel, "join", {}); }

    void invite(Who who, const std::string& channel, const std::string& user) override
    {
        act(who, channel, "invite", {{"user", user}});
    }

    void ban(Who who, const std::string& channel, const std::string& user) override
    {
        act(who, channel, "ban", {{"user", user}});
    }

    void remove(Who who, const std::string& channel, const std::string& event) override
    {
        act(who, channel, "messages/" + event + "/delete", {});
    }

    std::string standing(Who who, const std::string& event) override
    {
        return ask(who, "GET", "/messages/" + event + "/delivery", nullptr, 200)
            .value("status", "");
    }

 private:
    static Message read(const nlohmann::json& entry)
    {
        Message message;
        message.seq = entry.value("seq", std::uint64_t{0});
        message.event = entry.value("id", "");
        message.sender = entry.value("event", nlohmann::json::object()).value("sender", "");
        if (const auto content = entry.find("content");
            content != entry.end() && content->is_object())
            message.text = content->value("text", "");
        return message;
    }

    void act(Who who, const std::string& channel, const std::string& what, nlohmann::json body)
    {
        if (body.is_null()) body = nlohmann::json::object();
        body["txn"] = fresh_uuid();
        ask(who, "POST", "/channels/" + channel + "/" + what, body, 201);
    }

    // Throws AccountError that names the account, and what to do.
    std::string enter(const std::string& which, const Account& account, bool may_register)
    {
        try {
            return enter(account, may_register);
        } catch (const AccountError& error) {
            throw AccountError("accounts." + which + ", " + account.user +
                               ", can't log in: " + error.what() +
                               "; put its user and password right, or, where registration is open, "
                               "write accounts.register = true");
        }
    }

    // The access token of a session.
    std::string enter(const Account& account, bool may_register)
    {
        const nlohmann::json body = {
            {"name", account.user.substr(0, account.user.find('@'))},
            {"password", account.password},
            {"device",
             {{"id", fresh_uuid()}, {"key", base64url(SigningKey::random().public_octets())}}}};
        if (may_register) {
            // 409: it is there.
            const auto made = call("", "POST", "/auth/register", body, 201, 409);
            if (made.contains("access_token")) return made.value("access_token", "");
        }
        return call("", "POST", "/auth/login", body, 200, 200).value("access_token", "");
    }

    nlohmann::json ask(Who who, const std::string& method, const std::string& path,
                       const nlohmann::json& body, int expected, int also = 0)
    {
        return call(who == Who::first ? first_token_ : second_token_, method, path, body, expected,
                    also);
    }

    nlohmann::json call(const std::string& token, const std::string& method,
                        const std::string& path, const nlohmann::json& body, int expected, int also)
    {
        Request request;
        request.method = method;
        request.target = "/api/v1" + path;
        request.fields = {{"Host", door_.authority()}};
        if (!token.empty()) request.fields.emplace_back("Authorization", "Bearer " + token);
        if (!body.is_null()) {
            request.body = body.dump();
            request.fields.emplace_back("Content-Type", "application/json");
        }
        request.fields.emplace_back("Content-Length", std::to_string(request.body.size()));
        const std::lock_guard lock(mutex_);
        const auto result = connection_.ask(request);
        if (!result.error.empty())
            throw AccountError(method + " " + path + ": " + result.error +
                               " (accounts.client_api and accounts.connect say where it is)");
        const auto status = result.answer.status;
        if (status != expected && status != also)
            throw AccountError(method + " " + path + ": the client API answers " +
                               std::to_string(status) + " " + result.answer.body.substr(0, 200));
        const auto answer = json_body(result.answer);
        return answer.is_object() ? answer : nlohmann::json::object();
    }

    Account first_;
    Account second_;
    Door door_;
    std::mutex mutex_;
    Connection connection_;
    std::string first_token_;
    std::string second_token_;
};

}  // namespace

std::unique_ptr<Accounts> client_api_accounts(const TargetFile& target)
{
    return std::make_unique<ClientApi>(target);
}

}  // namespace entente::conformance
