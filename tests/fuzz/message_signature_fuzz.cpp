// Reads the fields of a request and of an answer from lines `name: value`; the first
// line is method and target, and what follows an empty line is the content.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/message_signature.hpp"

namespace {

std::string_view next_line(std::string_view& text)
{
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entente::protocol;
    start_crypto();
    std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto first = next_line(text);
    const auto space = first.find(' ');
    const auto method = first.substr(0, space);
    const auto target =
        space == std::string_view::npos ? std::string_view{} : first.substr(space + 1);
    Fields fields;
    while (!text.empty()) {
        const auto line = next_line(text);
        if (line.empty()) break;
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    const NameRules rules{true};
    if (const auto request = read_request_signature({method, target, fields, text}, rules)) {
        // One line per component and one for the parameters, whatever was sent.
        if (request->signature.size() != 64 || request->base.find('\r') != std::string::npos)
            std::abort();
        (void)check_window(*request, 1763683200);
    }
    (void)check_destination(fields, ServerName::trusted("b.test"));
    (void)check_digest(fields, text);
    (void)read_answer_signature(200, fields, text, "entente=:AAAA:", rules);
    return 0;
}
