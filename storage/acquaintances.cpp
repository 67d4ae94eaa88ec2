#include "storage/acquaintances.hpp"

#include "storage/query.hpp"

namespace entente::storage {

namespace {

// Standings up to 3: members, and who is invited.
constexpr char select_shared[] =
    "SELECT 1 FROM member a JOIN member b ON b.channel = a.channel AND b.user = ? "
    "WHERE a.user = ? AND a.standing <= 3 AND b.standing <= 3 LIMIT 1";
constexpr char select_invited[] = "SELECT 1 FROM invitation WHERE user = ? AND sender = ? LIMIT 1";

}  // namespace

Result<bool> are_acquainted(Connection& db, std::string_view own, std::string_view other)
{
    const auto read = [](Statement&) { return true; };
    auto shared = one_row(db, select_shared, read, other, own);
    if (!shared) return fail(shared);
    if (*shared) return true;
    auto invited = one_row(db, select_invited, read, own, other);
    if (!invited) return fail(invited);
    return invited->has_value();
}

}  // namespace entente::storage
