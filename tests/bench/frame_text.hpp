// A WebSocket frame that is written from its front, once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace entente::bench {

// Room for a message before which the frame's head is put in place: text is appended
// once, and never copied on its way into TLS.
class FrameText {
 public:
    FrameText();
    void clear();
    void append(std::string_view text) { octets_.append(text); }
    [[nodiscard]] std::size_t size() const;
    // The frame, masked with zeros, which leave the text as it is.
    [[nodiscard]] std::string_view finish();

 private:
    std::string octets_;
};

}  // namespace entente::bench
