#include "trust/ranks.hpp"

namespace entente::trust {

namespace {

// Whether a superadmin would be none any more, or one who can't act.
bool takes_power(const RankQuestion& question)
{
    switch (question.judgement) {
        case Judgement::suspend:
        case Judgement::ban:
        case Judgement::remove: return true;
        case Judgement::set_role: return question.role < Rank::superadmin;
        case Judgement::unsuspend:
        case Judgement::unban:
        case Judgement::end_sessions:
        case Judgement::reset_password: break;
    }
    return false;
}

}  // namespace

std::string_view to_text(Judgement judgement)
{
    switch (judgement) {
        case Judgement::suspend: return "user.suspend";
        case Judgement::unsuspend: return "user.unsuspend";
        case Judgement::ban: return "user.ban";
        case Judgement::unban: return "user.unban";
        case Judgement::end_sessions: return "user.end-sessions";
        case Judgement::reset_password: return "user.reset-password";
        case Judgement::set_role: return "user.role";
        case Judgement::remove: return "user.delete";
    }
    return "user.unknown";
}

std::string_view to_text(Rank rank)
{
    switch (rank) {
        case Rank::user: return "user";
        case Rank::admin: return "admin";
        case Rank::superadmin: return "superadmin";
        case Rank::machine: break;
    }
    return "operator";
}

Result<void> check_judgement(const RankQuestion& question)
{
    if (!question.actor.is_active)
        return refuse(Code::forbidden, "this account may do nothing any more");
    if (question.is_self) return refuse(Code::forbidden, "nobody does this to himself");
    if (question.target.rank > question.actor.rank)
        return refuse(Code::forbidden, "this user has a higher role");
    if (question.judgement == Judgement::reset_password &&
        question.target.rank == question.actor.rank)
        return refuse(Code::forbidden, "only a higher role resets this password");
    if (question.judgement == Judgement::set_role && question.role > question.actor.rank)
        return refuse(Code::forbidden, "the new role is above your own");
    const bool is_last = question.target.rank == Rank::superadmin && question.target.is_active &&
                         question.superadmins <= 1;
    if (is_last && takes_power(question))
        return refuse(Code::forbidden, "the last superadmin stays");
    return {};
}

}  // namespace entente::trust
