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

std::string shown(const Reply& reply)
{
    auto text = reply.octets;
    if (reply.step != 0)
        text += "(" + std::to_string(reply.step) + " octets at a time, with " +
                std::to_string(reply.step_pause.count()) + " ms behind each)";
    if (reply.endless != 0)
        text += "(and up to " + std::to_string(reply.endless) + " octets behind them)";
    switch (reply.end) {
        case Reply::End::keep: break;
        case Reply::End::close: text += "(the connection was closed)"; break;
        case Reply::End::reset: text += "(the connection was reset)"; break;
        case Reply::End::hang: text += "(nothing more, on an open connection)"; break;
    }
    return text;
}

}  // namespace entente::conformance
