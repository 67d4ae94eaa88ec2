// People for who needs none: nobody is known, and every question stays without an answer.
#pragma once

#include "federation/people.hpp"

namespace entente::api::testing {

class NoPeople final : public federation::People {
 public:
    template <class T>
    using Awaited = boost::asio::awaitable<Result<T>>;

    Awaited<protocol::ShownUser> look_up(protocol::UserId) override { co_return nobody(); }
    Awaited<std::vector<federation::ClaimResult>> claim(protocol::UserId,
                                                        protocol::KeyClaims) override
    {
        co_return nobody();
    }
    Awaited<std::vector<federation::SendResult>> send(federation::Actor,
                                                      std::vector<federation::DeviceSend>) override
    {
        co_return nobody();
    }
    Awaited<std::vector<federation::MailItem>> mail_after(protocol::UserId, protocol::Uuid,
                                                          std::int64_t, std::size_t) override
    {
        co_return nobody();
    }
    Awaited<void> acknowledge(protocol::UserId, protocol::Uuid, std::int64_t) override
    {
        co_return nobody();
    }
    void changed(const protocol::UserId&) override {}
    Awaited<void> signal(protocol::UserId, federation::Person,
                         std::vector<protocol::LiveSignal>) override
    {
        co_return nobody();
    }
    Awaited<void> report(federation::Actor, federation::Report) override { co_return nobody(); }
    void listen(federation::PeopleListener&) override {}

 private:
    static protocol::Failure nobody() { return fail(Code::not_found, "nobody is known here"); }
};

}  // namespace entente::api::testing
