// Passes on what became durable to those who listen: the client API's live hub above all.
// On the I/O thread.
#pragma once

#include <functional>
#include <vector>

#include "federation/channels.hpp"

namespace entente::federation {

class Notices {
 public:
    void add(CommitListener& listener) { listeners_.push_back(&listener); }

    void tell(const std::function<void(CommitListener&)>& what) const
    {
        for (auto* listener : listeners_) what(*listener);
    }

 private:
    std::vector<CommitListener*> listeners_;
};

}  // namespace entente::federation
