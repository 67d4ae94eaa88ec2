#include "tests/bench/frame_text.hpp"

namespace entente::bench {

namespace {

constexpr std::size_t head_room = 14;  // of the longest frame head

}  // namespace

FrameText::FrameText() : octets_(head_room, '\0') {}

void FrameText::clear()
{
    octets_.resize(head_room);
}

std::size_t FrameText::size() const
{
    return octets_.size() - head_room;
}

std::string_view FrameText::finish()
{
    constexpr std::size_t mask = 4;
    const auto length = size();
    const std::size_t longer = length < 126 ? 0 : length < 65'536 ? 2 : 8;
    std::size_t at = head_room - mask - longer - 2;
    const auto begin = at;
    octets_[at++] = '\x81';
    const auto code = longer == 0 ? length : longer == 2 ? 126U : 127U;
    octets_[at++] = static_cast<char>(0x80U | code);
    for (std::size_t i = longer; i-- > 0;)
        octets_[at++] = static_cast<char>((length >> (8U * i)) & 0xFFU);
    for (std::size_t i = 0; i < mask; ++i) octets_[at++] = '\0';
    return std::string_view(octets_).substr(begin);
}

}  // namespace entente::bench
