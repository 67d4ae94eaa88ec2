// Reads a server's frames by searching for the few members that the bench needs, in the
// order in which a server writes them: a DOM would cost the load client more than all else.
// It judges nothing: what a frame means for the messages under way is Traffic's business.
#pragma once

#include <cstdint>
#include <string_view>

namespace entente::bench {

// Goes through the text from its front; what was passed isn't seen again.
class Scan {
 public:
    explicit Scan(std::string_view text) : rest_(text) {}

    // To the first octet behind `mark`; false, and nowhere, where there is none.
    bool pass(std::string_view mark);
    // The next `size` octets.
    std::string_view take(std::size_t size);
    // Up to the next quotation mark, which is passed.
    std::string_view take_word();
    // Digits, at least none.
    std::int64_t take_number();
    [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
    std::string_view rest_;
};

// Lower-case hexadecimal digits; -1 where there is something else.
[[nodiscard]] std::int64_t parse_hex(std::string_view digits);
void write_hex(std::uint64_t value, char* begin, std::size_t size);

}  // namespace entente::bench
