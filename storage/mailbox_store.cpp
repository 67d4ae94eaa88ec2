#include "storage/mailbox_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

constexpr char select_box[] = "SELECT last, acked, octets FROM mailbox WHERE device = ?";
constexpr char upsert_box[] =
    "INSERT INTO mailbox (device, last, acked, octets) VALUES (?, 1, 0, ?) "
    "ON CONFLICT (device) DO UPDATE SET last = last + 1, octets = octets + excluded.octets";
constexpr char update_acked[] =
    "UPDATE mailbox SET acked = ?, octets = octets - ? WHERE device = ?";
constexpr char insert_mail[] =
    "INSERT INTO device_message (device, number, source, sender, sender_device, at, problem, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char select_share[] =
    "SELECT count(*), coalesce(sum(length(CAST(body AS BLOB)) + ?), 0) FROM device_message "
    "WHERE device = ? AND source = ?";
constexpr char select_mail[] =
    "SELECT number, source, sender, sender_device, at, problem, body FROM device_message "
    "WHERE device = ? AND number > ? ORDER BY number LIMIT ?";
constexpr char select_octets[] =
    "SELECT coalesce(sum(length(CAST(body AS BLOB)) + ?), 0) FROM device_message "
    "WHERE device = ? AND number <= ?";
constexpr char delete_mail[] = "DELETE FROM device_message WHERE device = ? AND number <= ?";

struct Box {
    std::int64_t last = 0;
    std::int64_t acked = 0;
    std::int64_t octets = 0;
    [[nodiscard]] std::int64_t waiting() const { return last - acked; }
};

struct Share {
    std::int64_t messages = 0;
    std::int64_t octets = 0;
};

Result<Box> find_box(Connection& db, std::int64_t device)
{
    const auto read = [](Statement& row) {
        return Box{row.integer(0), row.integer(1), row.integer(2)};
    };
    auto box = one_row(db, select_box, read, device);
    if (!box) return fail(box);
    return box->value_or(Box{});
}

protocol::Failure full()
{
    return retry_later(Code::rate_limited, "the device's mailbox is full", 60);
}

Result<void> check_room(Connection& db, std::int64_t device, const Box& box, const MailRow& row,
                        std::int64_t octets)
{
    if (!row.problem.empty()) {
        if (box.waiting() >= max_mailbox_messages + refusal_room) return full();
        return {};
    }
    if (box.waiting() >= max_mailbox_messages || box.octets + octets > max_mailbox_octets)
        return full();
    // While it is less than half full nobody's share can be more than that.
    const bool is_roomy =
        box.waiting() < max_mailbox_messages / 2 && box.octets + octets <= max_mailbox_octets / 2;
    if (is_roomy) return {};
    const auto read = [](Statement& one) { return Share{one.integer(0), one.integer(1)}; };
    auto share = one_row(db, select_share, read, message_overhead_octets, device, row.source);
    if (!share) return fail(share);
    const auto held = share->value_or(Share{});
    if (held.messages >= max_mailbox_messages / 2 || held.octets + octets > max_mailbox_octets / 2)
        return full();
    return {};
}

}  // namespace

Result<std::int64_t> put_mail(Connection& db, std::int64_t device, const MailRow& row)
{
    auto box = find_box(db, device);
    if (!box) return fail(box);
    const auto octets = static_cast<std::int64_t>(row.body.size()) + message_overhead_octets;
    if (auto room = check_room(db, device, *box, row, octets); !room) return fail(room);
    const auto number = box->last + 1;
    if (auto counted = run(db, upsert_box, device, octets); !counted) return fail(counted);
    auto put = run(db, insert_mail, device, number, row.source, row.sender, row.sender_device,
                   row.at, row.problem, row.body);
    if (!put) return fail(put);
    return number;
}

Result<std::vector<MailRow>> read_mail(Connection& db, std::int64_t device, std::int64_t after,
                                       std::size_t limit, std::size_t octets)
{
    auto query = bound(db, select_mail, device, after, limit);
    if (!query) return fail(query);
    std::vector<MailRow> rows;
    std::size_t size = 0;
    for (;;) {
        auto step = (*query)->step();
        if (!step) return fail(step);
        if (!*step) return rows;
        auto& row = **query;
        size += row.text(6).size() + static_cast<std::size_t>(message_overhead_octets);
        if (size > octets && !rows.empty()) return rows;
        rows.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
                        std::string(row.text(3)), row.integer(4), std::string(row.text(5)),
                        std::string(row.text(6))});
    }
}

Result<void> acknowledge_mail(Connection& db, std::int64_t device, std::int64_t number)
{
    auto box = find_box(db, device);
    if (!box) return fail(box);
    if (number > box->last) return refuse(Code::malformed, "/ack: no message has that number");
    if (number <= box->acked) return {};
    auto octets = one_row(
        db, select_octets, [](Statement& row) { return row.integer(0); }, message_overhead_octets,
        device, number);
    if (!octets) return fail(octets);
    if (auto gone = run(db, delete_mail, device, number); !gone) return gone;
    return run(db, update_acked, number, octets->value_or(0), device);
}

}  // namespace entente::storage
