// Messages to single devices [INBOX-12], on the writer's thread: into the mailbox of a device
// of ours, whoever they are from, and the news that one of ours was refused elsewhere. Those
// who call remember the event in the same transaction, so that each is stored once.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "federation/direct/direct.hpp"
#include "federation/identity.hpp"
#include "protocol/device_message.hpp"
#include "storage/group_commit.hpp"
#include "storage/outgoing_store.hpp"
#include "trust/policy/enforcer.hpp"

namespace entente::federation {

// Where something came into a mailbox.
struct MailedDevice {
    protocol::UserId user;
    protocol::Uuid device;
};

class DeviceMessages {
 public:
    // `came` runs after the commit.
    DeviceMessages(const Identity& identity, std::function<void(const MailedDevice&)> came,
                   trust::policy::Enforcer* policies = nullptr);

    // `source` is whose share of the mailbox it takes. `not_found` where there is no such
    // user or device; `rate_limited` where the mailbox is full.
    [[nodiscard]] Result<void> store(storage::WriteTransaction& transaction,
                                     const protocol::Event& event,
                                     const protocol::DeviceMessage& message,
                                     const std::string& source);
    // The handler of `device.message`. `forbidden` as policies say; as shipped, servers below
    // `known` are heard for those of their users whom the recipient has to do with. So is a
    // message to a full mailbox: the sender's server must not wait for one device.
    [[nodiscard]] Result<void> take(storage::WriteTransaction& transaction,
                                    const VerifiedDirect& direct, const ServerName& origin);
    // Tells the device that a direct event of its own was refused; `row.note` says which.
    [[nodiscard]] Result<void> refused(storage::WriteTransaction& transaction,
                                       const storage::DirectRow& row, Code problem, Millis now);

 private:
    const Identity& identity_;
    std::function<void(const MailedDevice&)> came_;
    trust::policy::Enforcer* policies_;  // nothing: nobody is asked
};

// What is told of a message, an invitation or a report that is refused, and to which device of
// its author.
struct SentNote {
    protocol::Uuid own_device;
    protocol::Uuid txn;
    protocol::UserId user;                 // whom it is to, or about
    std::optional<protocol::Uuid> device;  // of a message
};
[[nodiscard]] std::string write_note(const SentNote& note);

}  // namespace entente::federation
