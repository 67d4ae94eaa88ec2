// The one error idiom of the tree: everything that a peer, a client, a disk or a
// network can cause is a Result. Exceptions stay inside start-up and the adapters
// of libraries that throw; assert is for our own bugs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace entente::protocol {

// What went wrong, in the vocabulary of the wire (specification section 9) with
// the client API's additions. problem.cpp turns it into a status and a document.
enum class Code : std::uint8_t {
    malformed,
    digest_mismatch,
    wrong_destination,
    signature_incomplete,
    signature_invalid,
    key_revoked,
    unknown_key,
    clock_skew,
    replayed,
    key_conflict,
    blocked,
    forbidden,
    not_member,
    not_home,
    not_found,
    equivocation,
    superseded,
    channel_full,
    too_large,
    unsupported,
    rate_limited,
    key_unavailable,
    unavailable,
    // Client API only.
    unauthenticated,
    conflict,
    method_not_allowed,
    timeout,
    internal,
};

// `detail` is for our own log and never leaves the process. `hint` may be told to
// whoever asked: a JSON pointer, or a sentence built from constants and from what
// the asker sent. `retry_after` is in seconds, 0 where it says nothing.
struct Error {
    Code code = Code::internal;
    std::string detail;
    std::string hint;
    std::int64_t retry_after = 0;
};

template <class T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

[[nodiscard]] inline Failure fail(Code code, std::string detail)
{
    return Failure{Error{code, std::move(detail), {}, 0}};
}

// The same sentence for our log and for the asker.
[[nodiscard]] inline Failure refuse(Code code, std::string hint)
{
    auto detail = hint;
    return Failure{Error{code, std::move(detail), std::move(hint), 0}};
}

[[nodiscard]] inline Failure retry_later(Code code, std::string detail, std::int64_t seconds)
{
    return Failure{Error{code, std::move(detail), {}, seconds}};
}

// Passes a failed result's error on.
template <class T>
[[nodiscard]] Failure fail(const tl::expected<T, Error>& failed)
{
    return Failure{failed.error()};
}

template <class T>
[[nodiscard]] Failure fail(tl::expected<T, Error>&& failed)
{
    return Failure{std::move(failed).error()};
}

}  // namespace entente::protocol

namespace entente {
// Every room speaks of results without naming the floor that defines them.
using protocol::Code;
using protocol::Error;
using protocol::fail;
using protocol::refuse;
using protocol::Result;
using protocol::retry_later;
}  // namespace entente
