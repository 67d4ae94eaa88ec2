// Accounts by commands, for servers with any client API: each gets {"account","user",…} on its
// standard input and prints a JSON object. docs/conformance/ has the table.
#include <utility>

#include <nlohmann/json.hpp>

#include "conformance/target/accounts.hpp"
#include "conformance/target/command.hpp"

namespace entente::conformance {

namespace {

constexpr Millis command_time{30'000};

class Commands final : public Accounts {
 public:
    explicit Commands(const TargetFile& target)
        : first_(target.first), second_(target.second), commands_(target.commands)
    {
    }

    std::string user(Who who) const override
    {
        return who == Who::first ? first_.user : second_.user;
    }

    std::string create_channel(Who who, const ChannelWish& wish) override
    {
        return text("create_channel", who, {{"public", wish.is_public}, {"history", wish.history}},
                    "channel");
    }

    std::string post(Who who, const std::string& channel, const std::string& words) override
    {
        return text("post", who, {{"channel", channel}, {"text", words}}, "event");
    }

    std::vector<Message> messages(Who who, const std::string& channel) override
    {
        const auto answer = run("messages", who, {{"channel", channel}});
        const auto list = answer.find("messages");
        if (list == answer.end() || !list->is_array())
            throw AccountError("messages prints no {\"messages\":[…]}");
        std::vector<Message> all;
        for (const auto& one : *list) {
            if (!one.is_object()) throw AccountError("messages prints what is no object");
            all.push_back({one.value("seq", std::uint64_t{0}), one.value("event", ""),
                           one.value("sender", ""), one.value("text", "")});
        }
        return all;
    }

    void join(Who who, const std::string& channel) override
    {
        run("join", who, {{"channel", channel}});
    }

    void invite(Who who, const std::string& channel, const std::string& user) override
    {
        run("invite", who, {{"channel", channel}, {"invited", user}});
    }

    void ban(Who who, const std::string& channel, const std::string& user) override
    {
        run("ban", who, {{"channel", channel}, {"banned", user}});
    }

    void remove(Who who, const std::string& channel, const std::string& event) override
    {
        run("remove", who, {{"channel", channel}, {"event", event}});
    }

    std::string standing(Who who, const std::string& event) override
    {
        return text("standing", who, {{"event", event}}, "status");
    }

 private:
    // The text that the command prints as `member`.
    std::string text(const std::string& name, Who who, nlohmann::json input, const char* member)
    {
        const auto answer = run(name, who, std::move(input));
        const auto found = answer.find(member);
        if (found == answer.end() || !found->is_string())
            throw AccountError(name + " prints no text as \"" + member + "\"");
        return found->get<std::string>();
    }

    nlohmann::json run(const std::string& name, Who who, nlohmann::json input)
    {
        const auto command = commands_.find(name);
        if (command == commands_.end())
            throw NoSuchAction("the target's file has no command " + name);
        input["account"] = who == Who::first ? "first" : "second";
        input["user"] = user(who);
        const auto result = run_command(command->second, input, in(command_time));
        if (result.exit_code == cannot) throw NoSuchAction(name + " says that it can't");
        if (result.exit_code != 0)
            throw AccountError(name + " fails: " +
                               (result.error.empty()
                                    ? "exit code " + std::to_string(result.exit_code)
                                    : result.error));
        auto answer = nlohmann::json::parse(result.output, nullptr, false);
        if (answer.is_discarded() || !answer.is_object())
            throw AccountError(name + " prints no JSON object: " + result.output.substr(0, 200));
        return answer;
    }

    Account first_;
    Account second_;
    std::map<std::string, std::string> commands_;
};

}  // namespace

std::unique_ptr<Accounts> command_accounts(const TargetFile& target)
{
    return std::make_unique<Commands>(target);
}

}  // namespace entente::conformance
