// How our answers look on the wire: the head's text, and the Date that stands in it.
#pragma once

#include <string>

#include "net/http_message.hpp"
#include "protocol/clock.hpp"

namespace entente::net {

// RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string http_date(protocol::Seconds time);
[[nodiscard]] std::string_view reason_phrase(int status);

struct AnswerForm {
    bool close = false;
    bool head_only = false;  // the answer to HEAD: its length is told, its body not sent
};

// Head and body in one, so that they leave in one write.
[[nodiscard]] std::string response_octets(const Response& response, AnswerForm form,
                                          std::string_view date);

}  // namespace entente::net
