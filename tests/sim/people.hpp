// The people of a run: each wishes one thing after another through federation::Channels of
// its own server, repeats it with the same txn until there is an answer, and remembers what
// it was told. What they were told is what must be true in the end.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/machine.hpp"

namespace entente::sim {

enum class Deed : std::uint8_t {
    create,
    invite,
    join,
    leave,
    post,
    edit,
    erase,
    react,
    kick,
    ban,
    unban,
    role,
    rename,
    move
};
[[nodiscard]] std::string_view name_of(Deed deed);

struct Wish {
    Deed deed = Deed::post;
    protocol::Uuid txn;
    std::optional<protocol::ChannelId> channel;
    std::optional<protocol::UserId> other;   // who is invited, kicked, whose server is the new home
    std::optional<protocol::Hash> target{};  // of `edit`, `erase`, `react`
    std::string content;                     // or a role, a name
    std::string history = "since-join";      // for `create`
};

// A wish and what its maker was told in the end.
struct Told {
    Wish wish;
    protocol::UserId user;
    // How the last attempt was answered: an event, or why not.
    std::optional<federation::Posted> posted;
    std::optional<Error> refusal;
    int attempts = 0;
    // Its channel's home was put back since: it may stand elsewhere, or be refused.
    bool is_doubtful = false;
};

// What everybody can know of a channel: they tell each other.
struct KnownChannel {
    protocol::ChannelId name;
    std::string history;
    std::vector<std::string> invited;      // by an answered wish, the creator too
    std::vector<protocol::Hash> messages;  // posts that were taken
};

class Person {
 public:
    Person(Machine& machine, protocol::UserId user, std::uint64_t seed, int wishes, Trace& trace)
        : machine_(machine),
          user_(std::move(user)),
          chance_(seed),
          random_(seed + 7),
          left_(wishes),
          trace_(trace)
    {
    }

    [[nodiscard]] const protocol::UserId& user() const { return user_; }
    [[nodiscard]] Machine& machine() { return machine_; }
    [[nodiscard]] bool is_waiting() const { return wish_.has_value(); }
    [[nodiscard]] const std::vector<Told>& told() const { return told_; }
    [[nodiscard]] bool has_ever_left(const protocol::ChannelId& channel) const;
    // Its server has lost what it was told of, or may have: it begins anew.
    void forget_all()
    {
        told_.clear();
        wish_.reset();
        joined_.clear();
        has_forgotten_ = true;
    }
    [[nodiscard]] bool has_forgotten() const { return has_forgotten_; }
    // Its wishes may be to move channels from one server to another, but for this one: what goes
    // to a home that ends with the storm can't come to rest.
    void may_move_channels(const std::string& but_not_to)
    {
        moves_channels_ = true;
        no_home_ = but_not_to;
    }
    void wish_for_more(int wishes) { left_ += wishes; }
    // Homes that may have lost what they said to others.
    void doubt(const std::string& home);

    // Asks where nothing is being asked: again for what had no answer, else, where `goes_on`,
    // for something new.
    void act(std::vector<KnownChannel>& channels, const std::vector<protocol::UserId>& all,
             bool goes_on);

 private:
    [[nodiscard]] std::optional<Wish> next_wish(const std::vector<KnownChannel>& channels,
                                                const std::vector<protocol::UserId>& all);
    [[nodiscard]] std::optional<Wish> channel_wish(const KnownChannel& channel,
                                                   const std::vector<protocol::UserId>& all);
    [[nodiscard]] bool wish_for_message(Wish& wish, const KnownChannel& channel);
    void wish_for_order(Wish& wish, const std::vector<protocol::UserId>& all);
    [[nodiscard]] std::string text(std::string_view what);
    asio::awaitable<void> ask(int life, Wish wish, std::vector<KnownChannel>& channels);
    asio::awaitable<Result<federation::Posted>> create(federation::Actor actor, const Wish& wish,
                                                       std::optional<protocol::ChannelId>& made);
    asio::awaitable<Result<federation::Posted>> move(federation::Actor actor, const Wish& wish);
    asio::awaitable<Result<federation::Posted>> do_it(Wish wish,
                                                      std::optional<protocol::ChannelId>& made);
    void answered(const Wish& wish, Result<federation::Posted> posted,
                  std::vector<KnownChannel>& channels);
    void learn(const Wish& wish, const federation::Posted& posted,
               std::vector<KnownChannel>& channels);
    void unlearn(const Wish& wish, std::vector<KnownChannel>& channels);

    Machine& machine_;
    protocol::UserId user_;
    Chance chance_;
    SeededRandom random_;
    int left_;
    Trace& trace_;
    int number_ = 0;
    std::optional<Wish> wish_;
    int attempts_ = 0;
    int asked_life_ = 0;                    // the process that is being asked; 0: none
    std::set<protocol::ChannelId> joined_;  // as far as it was told
    std::vector<Told> told_;
    bool has_forgotten_ = false;
    bool moves_channels_ = false;
    std::string no_home_;
};

}  // namespace entente::sim
