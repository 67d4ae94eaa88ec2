#include "storage/incoming_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::Hash;
using protocol::Uuid;

constexpr char select_direct_in[] = "SELECT event_id FROM direct_in WHERE origin = ? AND txn = ?";
constexpr char insert_direct_in[] =
    "INSERT INTO direct_in (origin, txn, event_id, at) VALUES (?, ?, ?, ?)";
constexpr char delete_direct_in[] = "DELETE FROM direct_in WHERE at < ?";
constexpr char upsert_invitation[] =
    "INSERT INTO invitation (user, channel, home, sender, name, kind, encryption, members, at, "
    "held) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user, channel) DO UPDATE SET home = "
    "excluded.home, "
    "sender = excluded.sender, name = excluded.name, kind = excluded.kind, encryption = "
    "excluded.encryption, "
    "members = excluded.members, at = excluded.at, held = excluded.held";
constexpr char select_invitation_count[] =
    "SELECT count(*), count(CASE WHEN home = ? THEN 1 END) FROM invitation "
    "WHERE user = ? AND held = ?";
constexpr char delete_invitation[] = "DELETE FROM invitation WHERE user = ? AND channel = ?";
constexpr char select_invitations[] =
    "SELECT user, channel, home, sender, name, kind, encryption, members, at, held FROM "
    "invitation WHERE user = ? AND held = ? ORDER BY at, channel";
constexpr char release_held[] = "UPDATE invitation SET held = 0 WHERE user = ? AND channel = ?";
constexpr char select_invitation[] =
    "SELECT user, channel, home, sender, name, kind, encryption, members, at, held FROM "
    "invitation WHERE user = ? AND channel = ?";
constexpr char select_creation[] = "SELECT channel FROM creation WHERE user = ? AND txn = ?";
constexpr char insert_creation[] = "INSERT INTO creation (user, txn, channel) VALUES (?, ?, ?)";
constexpr char select_fact[] = "SELECT value FROM fact WHERE name = ?";
constexpr char upsert_fact[] =
    "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
    "excluded.value";

InvitationRow read_invitation(Statement& row)
{
    InvitationRow invitation;
    invitation.user = row.text(0);
    invitation.channel = row.text(1);
    invitation.home = row.text(2);
    invitation.sender = row.text(3);
    invitation.name = row.text(4);
    invitation.kind = row.text(5);
    invitation.encryption = row.text(6);
    invitation.members = row.integer(7);
    invitation.at = row.integer(8);
    invitation.is_held = row.integer(9) != 0;
    return invitation;
}

std::string first_text(Statement& row)
{
    return std::string(row.text(0));
}

}  // namespace

Result<std::optional<Hash>> find_direct_in(Connection& db, std::int64_t origin_id, const Uuid& txn)
{
    const auto read = [](Statement& row) { return hash_from(row.blob(0)); };
    return one_row(db, select_direct_in, read, origin_id, Blob{txn.bytes()});
}

Result<void> remember_direct_in(Connection& db, std::int64_t origin_id, const Uuid& txn,
                                const Hash& event_id, protocol::Millis at)
{
    return run(db, insert_direct_in, origin_id, Blob{txn.bytes()},
               Blob{protocol::as_view(event_id)}, at);
}

Result<void> forget_direct_before(Connection& db, protocol::Millis at)
{
    return run(db, delete_direct_in, at);
}

Result<void> put_invitation(Connection& db, const InvitationRow& row)
{
    return run(db, upsert_invitation, row.user, row.channel, row.home, row.sender, row.name,
               row.kind, row.encryption, row.members, row.at, row.is_held ? 1 : 0);
}

Result<InvitationCount> count_invitations(Connection& db, std::string_view user,
                                          std::string_view home, bool are_held)
{
    const auto read = [](Statement& row) {
        return InvitationCount{row.integer(0), row.integer(1)};
    };
    auto count = one_row(db, select_invitation_count, read, home, user, are_held ? 1 : 0);
    if (!count) return fail(count);
    return count->value_or(InvitationCount{});
}

Result<void> drop_invitation(Connection& db, std::string_view user, std::string_view channel)
{
    return run(db, delete_invitation, user, channel);
}

Result<std::vector<InvitationRow>> invitations_of(Connection& db, std::string_view user)
{
    return all_rows(db, select_invitations, read_invitation, user, 0);
}

Result<std::vector<InvitationRow>> requests_of(Connection& db, std::string_view user)
{
    return all_rows(db, select_invitations, read_invitation, user, 1);
}

Result<void> release_invitation(Connection& db, std::string_view user, std::string_view channel)
{
    return run(db, release_held, user, channel);
}

Result<std::optional<InvitationRow>> find_invitation(Connection& db, std::string_view user,
                                                     std::string_view channel)
{
    return one_row(db, select_invitation, read_invitation, user, channel);
}

Result<std::optional<std::string>> find_creation(Connection& db, std::string_view user,
                                                 const Uuid& txn)
{
    return one_row(db, select_creation, first_text, user, Blob{txn.bytes()});
}

Result<void> remember_creation(Connection& db, std::string_view user, const Uuid& txn,
                               std::string_view channel)
{
    return run(db, insert_creation, user, Blob{txn.bytes()}, channel);
}

Result<std::optional<std::string>> find_fact(Connection& db, std::string_view name)
{
    return one_row(db, select_fact, first_text, name);
}

Result<void> set_fact(Connection& db, std::string_view name, std::string_view value)
{
    return run(db, upsert_fact, name, value);
}

}  // namespace entente::storage
