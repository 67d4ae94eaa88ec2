#include "federation/conduct/upheld_reports.hpp"

#include <optional>
#include <utility>

#include "protocol/jws.hpp"
#include "storage/standing_store.hpp"

namespace entente::federation {

asio::awaitable<Result<trust::Proof>> LocalUpheldReports::evidence(Report report)
{
    const auto author = protocol::server_of(report.user);
    auto entry = co_await parts_.passing.entry_of(std::move(report), true);
    if (!entry) co_return fail(entry);
    // What is kept of another server's words is bounded: their hash is evidence, too.
    if (entry->content && entry->content->size() > trust::max_shown_octets / 2)
        entry->content.reset();
    for (auto& key : entry->keys) key.statements.clear();
    co_return judge(*entry, author);
}

// The entry was judged when it was taken, and its proof is made of what was stored then. It is
// judged anew: a server falls for what it can be shown, not for what we remember of it.
Result<trust::Proof> LocalUpheldReports::judge(const protocol::EntryProof& entry,
                                               const ServerName& author) const
{
    const auto proven = protocol::verify_entry_proof(entry, {}, parts_.identity.names);
    if (!proven) return fail(proven);
    const bool is_sealed = proven->author.has_value();
    const auto& signer = is_sealed ? proven->author->key : proven->home.key;
    if (signer.server != author)
        return fail(Code::signature_invalid, "the user's server has not signed it");
    const auto at = is_sealed ? entry.seal->proof.root : entry.checkpoint.proof.root;
    const auto root = protocol::parse_jws(entry.roots.at(at), parts_.identity.names);
    if (!root) return fail(root);
    return trust::Proof::of_signature(parts_.ring, root->key, root->signature, root->signing_input,
                                      protocol::write_entry_proof(entry));
}

Result<void> LocalUpheldReports::count(storage::WriteTransaction& transaction,
                                       const trust::Proof& proof, std::int64_t report,
                                       protocol::Millis now)
{
    auto& db = transaction.db();
    const auto& server = proof.server();
    if (auto noted = storage::note_upheld(db, server, report, now); !noted) return noted;
    auto standing = storage::find_standing(db, server);
    if (!standing) return fail(standing);
    const auto& figures = parts_.conduct.figures();
    const auto window = figures.report_window_days * protocol::day_ms;
    const auto counted = storage::upheld_reports(db, server, now - window);
    if (!counted) return fail(counted);
    std::optional<trust::Fall> fall;
    if (trust::fells(*counted, figures))
        fall = trust::fall_of(*standing, trust::Offence::upheld_report, proof, figures, now);
    if (fall) {
        if (auto kept = storage::put_fall(db, *fall); !kept) return kept;
        if (auto spent = storage::spend_upheld(db, server); !spent) return spent;
    }
    transaction.after_commit([&conduct = parts_.conduct, server, now, fall = std::move(fall)] {
        conduct.upheld(server, now, fall);
    });
    return {};
}

}  // namespace entente::federation
