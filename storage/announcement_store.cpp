#include "storage/announcement_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char replace_announcement[] =
    "INSERT OR REPLACE INTO announcement (user, type) VALUES (?, ?)";
constexpr char select_announcements[] =
    "SELECT id, user, type FROM announcement ORDER BY id LIMIT ?";
constexpr char delete_announcement[] = "DELETE FROM announcement WHERE id = ?";

}  // namespace

Result<void> put_announcement(Connection& db, std::string_view user, std::string_view type)
{
    return run(db, replace_announcement, user, type);
}

Result<std::vector<AnnouncementRow>> next_announcements(Connection& db, std::size_t limit)
{
    const auto read = [](Statement& row) {
        return AnnouncementRow{row.integer(0), std::string(row.text(1)), std::string(row.text(2))};
    };
    return all_rows(db, select_announcements, read, limit);
}

Result<void> drop_announcement(Connection& db, std::int64_t id)
{
    return run(db, delete_announcement, id);
}

}  // namespace entente::storage
