// What a target answers, and what it asks of the runner's peers: read within the bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "conformance/sockets/http_io.hpp"

namespace {

using namespace entente::conformance;

// The input in pieces of the size that its first octet says, then the end.
class InputStream final : public Stream {
 public:
    explicit InputStream(std::string_view octets)
        : step_(octets.empty() ? 1 : static_cast<unsigned char>(octets[0]) + 1U),
          left_(octets.substr(std::min<std::size_t>(octets.size(), 1)))
    {
    }
    bool write(std::string_view, Deadline) override { return true; }
    ReadResult read(Deadline) override
    {
        if (left_.empty()) return {ReadState::closed, {}};
        const auto piece = left_.substr(0, step_);
        left_.remove_prefix(piece.size());
        return {ReadState::octets, std::string(piece)};
    }
    void close() override {}
    void reset() override {}
    int descriptor() const override { return -1; }

 private:
    std::size_t step_;
    std::string_view left_;
};

constexpr ReadLimits bounds{4'096, 16'384};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view octets{reinterpret_cast<const char*>(data), size};
    const auto soon = in(Millis(1'000));
    {
        InputStream stream(octets);
        std::string rest;
        const auto read = read_answer(stream, rest, soon, bounds);
        if (read.answer.body.size() > bounds.body) std::abort();
        if (read.error.empty()) static_cast<void>(problem_code(read.answer));
        static_cast<void>(parse_date(field_of(read.answer.fields, "date").value_or("")));
    }
    InputStream stream(octets);
    std::string rest;
    for (int messages = 0; messages < 8; ++messages) {
        const auto read = read_request(stream, rest, soon, bounds);
        if (read.request.body.size() > bounds.body) std::abort();
        if (!read.error.empty()) break;
    }
    return 0;
}
