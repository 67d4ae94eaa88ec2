#include "conformance/host/reply.hpp"

#include <utility>

namespace entente::conformance {

Reply reply_with(Answer answer)
{
    if (!field_of(answer.fields, "content-length"))
        answer.fields.emplace_back("Content-Length", std::to_string(answer.body.size()));
    Reply reply;
    reply.octets = serialise(answer);
    return reply;
}

Reply reply_json(int status, const std::string& text)
{
    Answer answer;
    answer.status = status;
    answer.fields = {{"Content-Type", "application/json"}};
    answer.body = text;
    return reply_with(std::move(answer));
}

Reply reply_nothing()
{
    Reply reply;
    reply.end = Reply::End::close;
    return reply;
}

}  // namespace entente::conformance
