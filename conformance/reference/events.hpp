#pragma once

// Events and contents as they travel, read by the rules of form [EVT-3, EVT-5, EVT-6, EVT-8, EVT-9,
// MEM-6]. Their octets are kept as they came.

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/reference/flags.hpp"

namespace entente::conformance::reference {

struct ReadEvent {
    // The JSON texts.
    std::string octets;
    std::string content;
    std::string id;

    std::string type;
    std::string channel;
    std::string to;
    std::string sender;
    std::string txn;
    std::string target;
    std::int64_t at = 0;
    std::string content_hash;
    // The content; null where it is gone.
    nlohmann::json body;
};

// Where an event stands: in a log, or in a list of direct events.
enum class EventPlace { log, direct };

// {"event","content"} of a transaction. Throws Refused.
[[nodiscard]] ReadEvent read_item(const nlohmann::json& item, EventPlace place, const Flags& flags);

// The event alone, without its content. Throws Refused.
[[nodiscard]] ReadEvent read_event(const std::string& octets, EventPlace place, const Flags& flags);
// Throws Refused where it isn't the event's, or has no form.
void read_content(ReadEvent& event, const std::string& content, const Flags& flags);

// Of an event in a slice that has no form: who wrote it, and for which channel. Throws Refused
// where not even that can be told [LOG-1].
[[nodiscard]] ReadEvent read_author(const std::string& octets, const Flags& flags);

// Throws Deferred or Refused where the event is of the future. `now` in ms.
void check_ahead(const ReadEvent& event, std::int64_t now, const Flags& flags);

// The id of an item's event; empty where it has none that is text.
[[nodiscard]] std::string id_of_item(const nlohmann::json& item);

}  // namespace entente::conformance::reference
