// The policies that hold now, for those who decide while an administrator edits. Who decides takes
// `current` once for each thing that is decided, and keeps it as long as its verdict.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "trust/policy/compiled.hpp"

namespace entente::trust::policy {

// From any thread.
class Policies {
 public:
    explicit Policies(std::shared_ptr<const Compiled> first) : current_(std::move(first)) {}
    [[nodiscard]] std::shared_ptr<const Compiled> current() const
    {
        const std::lock_guard lock(mutex_);
        return current_;
    }
    void replace(std::shared_ptr<const Compiled> next)
    {
        const std::lock_guard lock(mutex_);
        current_.swap(next);
    }

 private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Compiled> current_;
};

}  // namespace entente::trust::policy
