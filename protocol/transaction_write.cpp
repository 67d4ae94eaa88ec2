// Writing a transaction. What is put in is trusted to be well formed: it was parsed, or
// made, by this folder.
#include "protocol/json_rules.hpp"
#include "protocol/log_writing.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol {
namespace {

void append_pair(std::string& out, const EventAndContent& pair)
{
    out += R"({"event":)";
    append_json_string(out, pair.event);
    writing::append_name(out, "content");
    append_json_string(out, pair.content);
    out += '}';
}

void append_submission(std::string& out, const Submission& submission)
{
    out += R"({"channel":)";
    append_json_string(out, submission.channel.str());
    writing::append_name(out, "events");
    writing::append_list(out, submission.events, append_pair);
    writing::append_name(out, "seal");
    writing::append_seal(out, submission.seal);
    out += '}';
}

// A good guess saves the copies of a growing string; quotes inside cost an octet each.
std::size_t guess_size(const OutgoingTransaction& transaction)
{
    const auto pair = [](std::size_t event, std::size_t content) {
        return 160 + (event + content) * 5 / 4;
    };
    std::size_t size = 256;
    for (const auto& root : transaction.roots) size += root.size() + 3;
    for (const auto& submission : transaction.submissions) {
        size += 512;
        for (const auto& item : submission.events) {
            size += pair(item.event.size(), item.content.size());
        }
    }
    for (const auto& slice : transaction.logs) {
        size += 1024;
        for (const auto& entry : slice.entries) {
            size += pair(entry.event.size(), entry.content ? entry.content->size() : 0);
        }
    }
    return size;
}

}  // namespace

std::string write_transaction(const OutgoingTransaction& transaction)
{
    std::string out;
    out.reserve(guess_size(transaction));
    out += '{';
    if (!transaction.roots.empty()) {
        writing::append_name(out, "roots");
        writing::append_strings(out, transaction.roots);
    }
    if (!transaction.submissions.empty()) {
        writing::append_name(out, "submissions");
        writing::append_list(out, transaction.submissions, append_submission);
    }
    if (!transaction.logs.empty()) {
        writing::append_name(out, "logs");
        writing::append_list(out, transaction.logs, writing::append_slice);
    }
    if (!transaction.direct.empty()) {
        writing::append_name(out, "direct");
        writing::append_list(out, transaction.direct, append_pair);
    }
    if (!transaction.signals.empty()) {
        writing::append_name(out, "signals");
        writing::append_list(out, transaction.signals,
                             [](std::string& to, const std::string& json) { to += json; });
    }
    out += '}';
    return out;
}

}  // namespace entente::protocol
