#include "storage/evidence_store.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

using protocol::ServerName;

constexpr char count_evidence[] = "SELECT count(*) FROM evidence WHERE channel = ?";
constexpr char insert_evidence[] =
    "INSERT INTO evidence (channel, kind, home, at, epoch, seq, held, shown) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char select_evidence[] =
    "SELECT id, kind, home, at, epoch, seq, held, shown FROM evidence WHERE channel = ? "
    "ORDER BY id";

}  // namespace

Result<bool> put_evidence(Connection& db, std::int64_t channel, const EvidenceRow& row)
{
    auto count =
        one_row(db, count_evidence, [](Statement& found) { return found.integer(0); }, channel);
    if (!count) return fail(count);
    if (count->value_or(0) >= max_evidence_per_channel) return false;
    auto put = run(db, insert_evidence, channel, row.kind, row.home.str(), row.at, row.epoch,
                   row.seq, row.held, row.shown);
    if (!put) return fail(put);
    return true;
}

Result<std::vector<EvidenceRow>> evidence_of(Connection& db, std::int64_t channel)
{
    const auto read = [](Statement& row) {
        EvidenceRow evidence;
        evidence.id = row.integer(0);
        evidence.kind = row.text(1);
        evidence.home = ServerName::trusted(std::string(row.text(2)));
        evidence.at = row.integer(3);
        evidence.epoch = row.integer(4);
        evidence.seq = row.integer(5);
        evidence.held = row.text(6);
        evidence.shown = row.text(7);
        return evidence;
    };
    return all_rows(db, select_evidence, read, channel);
}

}  // namespace entente::storage
