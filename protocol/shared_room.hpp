// Memory that many hold parts of. While less than `plenty` is held in all, each may hold
// `much`; beyond that `little`, which everybody always may: so those who hold what they
// can never take the room of who holds nothing, and all of it together is bounded by
// plenty + much + holders · little. Counts only; for one thread.
#pragma once

#include <cassert>
#include <cstddef>

namespace entente::protocol {

class SharedRoom {
 public:
    struct Limits {
        std::size_t plenty = 0;
        std::size_t much = 0;
        std::size_t little = 0;
    };
    explicit SharedRoom(Limits limits) : limits_(limits) {}

    // What one may hold now.
    [[nodiscard]] std::size_t for_one() const
    {
        return held_ < limits_.plenty ? limits_.much : limits_.little;
    }
    void take(std::size_t octets) { held_ += octets; }
    void give_back(std::size_t octets)
    {
        assert(octets <= held_);
        held_ -= octets;
    }
    [[nodiscard]] std::size_t held() const { return held_; }

 private:
    Limits limits_;
    std::size_t held_ = 0;
};

// One holder's part, given back when it goes. Lives no longer than the room.
class RoomShare {
 public:
    explicit RoomShare(SharedRoom& room) : room_(room) {}
    RoomShare(const RoomShare&) = delete;
    RoomShare& operator=(const RoomShare&) = delete;
    ~RoomShare() { room_.give_back(held_); }

    void take(std::size_t octets)
    {
        room_.take(octets);
        held_ += octets;
    }
    void give_back(std::size_t octets)
    {
        assert(octets <= held_);
        room_.give_back(octets);
        held_ -= octets;
    }
    [[nodiscard]] std::size_t held() const { return held_; }
    [[nodiscard]] std::size_t most() const { return room_.for_one(); }
    // Whether `more` may be taken: always by who holds nothing.
    [[nodiscard]] bool fits(std::size_t more) const
    {
        return held_ == 0 || held_ + more <= room_.for_one();
    }

 private:
    SharedRoom& room_;
    std::size_t held_ = 0;
};

}  // namespace entente::protocol
