// A channel's planned move to another home [SUC-2]. At the old home: an owner's wish, the
// question to the new home, and with its consent the channel.move. At the new home: whether it
// may consent. At every follower: what it means that the log has moved. On the writer's thread;
// what needs a key has been looked at before. Who follows from where is following.hpp's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "federation/channels.hpp"
#include "federation/direct/direct.hpp"
#include "federation/log/home_log.hpp"
#include "federation/notices.hpp"
#include "protocol/consent.hpp"
#include "protocol/log.hpp"
#include "storage/move_store.hpp"

namespace entente::federation {

inline constexpr std::string_view move_question_type = "move.ask";

// The content of a move.ask: the present epoch, which the move would end.
struct MoveQuestion {
    protocol::ChannelId channel;
    std::int64_t epoch = 0;
};
[[nodiscard]] Result<MoveQuestion> read_move_question(std::string_view content,
                                                      protocol::NameRules rules);

[[nodiscard]] Moving standing_of(const storage::MoveRow& move);

struct SuccessionParts {
    const Identity& identity;
    storage::ChannelLogStore& store;
    HomeLog& home;
    Notices& notices;
    protocol::Log& log;
    const protocol::Clock& clock;
    protocol::Random& random;
    Wake wake;
    // A channel that came here is held, for more than one commit can append waits for it.
    std::function<void(const protocol::ChannelId&)> held;
};

class Succession {
 public:
    explicit Succession(SuccessionParts parts) : parts_(std::move(parts)) {}

    // See Channels::move.
    [[nodiscard]] Result<Moving> wish(storage::WriteTransaction& transaction, const Actor& actor,
                                      const protocol::ChannelId& channel, const ServerName& home);

    // What the new home answered to the question that is `row`; `consent` where it gave one, with
    // its signature verified. False: it has to be asked again.
    [[nodiscard]] Result<bool> answered(storage::WriteTransaction& transaction,
                                        const storage::DirectRow& row,
                                        const protocol::EventResult& result,
                                        const std::optional<protocol::Consent>& consent);

    // The handler of move.ask: `forbidden` where this server may not be that channel's home.
    [[nodiscard]] Result<void> weigh(storage::WriteTransaction& transaction,
                                     const VerifiedDirect& question, const ServerName& origin);

    // See FollowerEvents::moved.
    [[nodiscard]] Result<void> moved(storage::WriteTransaction& transaction,
                                     storage::LiveChannel& channel, const ServerName& before);

 private:
    [[nodiscard]] Result<void> check_wish(const storage::LiveChannel& channel, const Actor& actor,
                                          const ServerName& home) const;
    [[nodiscard]] Result<Moving> ask(storage::WriteTransaction& transaction,
                                     storage::LiveChannel& channel, storage::MoveRow move);
    [[nodiscard]] Result<std::int64_t> append_move(storage::WriteTransaction& transaction,
                                                   storage::LiveChannel& channel,
                                                   const storage::MoveRow& move,
                                                   const protocol::Consent& consent);
    [[nodiscard]] Result<void> take_over(storage::WriteTransaction& transaction,
                                         storage::LiveChannel& channel, const ServerName& before);

    SuccessionParts parts_;
};

}  // namespace entente::federation
