#pragma once

// Where selftest judges: a peer or a null server of its own, in a folder and at ports of its own,
// and the world of the runner around it.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/judge/run.hpp"
#include "conformance/reference/null_server.hpp"
#include "conformance/reference/settings.hpp"

namespace entente::conformance::reference {

class Bench {
 public:
    // A peer with these flags, judged with these files of test vectors. Throws std::runtime_error.
    Bench(const std::vector<std::string>& flags, std::vector<std::string> vectors);
    explicit Bench(NullKind kind);
    ~Bench();
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    [[nodiscard]] World& world() { return *world_; }

 private:
    void open();

    Settings settings_;
    std::vector<std::string> vectors_;
    int process_ = 0;
    std::unique_ptr<Host> null_;
    std::unique_ptr<World> world_;
};

// All benches of this process are below it; removed with the last.
[[nodiscard]] std::filesystem::path bench_root();

}  // namespace entente::conformance::reference
