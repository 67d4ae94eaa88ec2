#pragma once

// The peer's memory: a JSON object a line, appended, and read again at the start. What was written
// outlives a kill -9, since the octets are the kernel's by then; a loss of power isn't what this
// peer is for. A last line that was cut is dropped.

#include <functional>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/sockets/socket.hpp"

namespace entente::conformance::reference {

class Journal {
 public:
    // Throws std::runtime_error where it can't be opened.
    explicit Journal(const std::string& file);

    // Every record, in order. Once, before the first append.
    void replay(const std::function<void(const nlohmann::json& record)>& take);
    // {"is":…}. Returns when the record can't be lost any more.
    void append(const nlohmann::json& record);
    [[nodiscard]] bool was_there() const { return was_there_; }

 private:
    const std::string file_;
    bool was_there_ = false;
    std::mutex mutex_;
    Descriptor descriptor_;
};

}  // namespace entente::conformance::reference
