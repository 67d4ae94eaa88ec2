// Whose word about other servers it is, and whether he may give it. For the writer's thread; the
// rooms above say who may.
#pragma once

#include <functional>
#include <string>

#include "storage/audit_store.hpp"
#include "storage/driver.hpp"

namespace entente::federation {

struct Mandate {
    // As the audit log names him.
    std::string actor;
    // Asked in the transaction that carries out his word, before anything is written; its error is
    // the answer. Nothing: who runs the machine isn't asked about.
    std::function<Result<void>(storage::Connection& db)> permit = {};

    [[nodiscard]] Result<void> check(storage::Connection& db) const
    {
        return permit ? permit(db) : Result<void>{};
    }
};

[[nodiscard]] inline Mandate operators_mandate()
{
    return {storage::audit_operator};
}

}  // namespace entente::federation
