// The parts that transactions, results and answers have in common, written. Everything
// appends to one string: a batch is built without a tree in between. For the .cpp files
// of this folder only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/slice.hpp"
#include "protocol/transaction.hpp"

namespace entente::protocol::writing {

// ["…","…"], each as a JSON string.
void append_strings(std::string& out, const std::vector<std::string>& strings);
// Starts a member: a comma unless it is the object's first, then its name and a colon.
void append_name(std::string& out, std::string_view name);
void append_text(std::string& out, std::string_view name, std::string_view text);
void append_number(std::string& out, std::int64_t number);
// {"seq":…,"hash":"…"}
void append_position(std::string& out, const Position& position);
void append_seal(std::string& out, const Seal& seal);
void append_checkpoint(std::string& out, const Checkpoint& checkpoint);
void append_slice(std::string& out, const Slice& slice);
void append_snapshot(std::string& out, const Snapshot& snapshot);

// Calls `append(out, item)` for each, between brackets and with commas.
template <class List, class Append>
void append_list(std::string& out, const List& list, Append append)
{
    out += '[';
    bool first = true;
    for (const auto& item : list) {
        if (!first) out += ',';
        first = false;
        append(out, item);
    }
    out += ']';
}

}  // namespace entente::protocol::writing
