#include "federation/gate/answers.hpp"

#include <iterator>

#include "federation/gate/gate.hpp"

namespace entente::federation {

net::Response signed_answer(const Identity& identity, std::string_view signature_field,
                            net::Response response, const protocol::Clock& clock)
{
    // A handler's own digest would make the field stand twice.
    std::erase_if(response.fields,
                  [](const auto& field) { return field.first == "content-digest"; });
    auto fields = protocol::sign_answer(identity.key, identity.name, response.status, response.body,
                                        signature_field, clock.now_s());
    response.fields.insert(response.fields.end(), std::make_move_iterator(fields.begin()),
                           std::make_move_iterator(fields.end()));
    return response;
}

net::Response signed_answer(const Identity& identity, const Admitted& admitted,
                            net::Response response, const protocol::Clock& clock)
{
    return signed_answer(identity, std::string_view{admitted.signature_field}, std::move(response),
                         clock);
}

}  // namespace entente::federation
