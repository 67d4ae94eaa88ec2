// A server with a superadmin and a user, and policies put over the client API.
#pragma once

#include "rig.hpp"

namespace entente::api::testing {

inline const std::string policies_path = "/api/v1/admin/policies";

inline std::string rules(const std::string& text)
{
    return R"({"version":1,"rules":[)" + text + "]}";
}

class PolicyRoutes : public ::testing::Test {
 protected:
    PolicyRoutes() : root(with_role("root", "superadmin")), alice(rig.person("alice")) {}

    Person with_role(const std::string& name, const std::string& role)
    {
        rig.person(name);
        auto done = rig.await(rig.commit().write([&](storage::WriteTransaction& transaction) {
            return transaction.db().execute("UPDATE account_user SET role = '" + role +
                                            "' WHERE localpart = '" + name + "'");
        }));
        EXPECT_TRUE(done);
        const auto login = rig.post("/api/v1/auth/login", credentials(name, "a fine password"));
        return {name + "@a.test", login.body["access_token"], login.body["refresh_token"]};
    }
    Answer put(const std::string& rule, const Person& by, const std::string& id = "own")
    {
        return rig.request("PUT", policies_path + "/" + id,
                           {{"text", rules(rule)}, {"reason", "because"}}, by.access);
    }
    Answer put(const std::string& rule) { return put(rule, root); }
    Answer act(const Person& by, const std::string& user, const std::string& what,
               const json& body = json::object())
    {
        return rig.post("/api/v1/admin/users/" + user + "/" + what, body, by.access);
    }
    Answer upload(const Person& by, std::size_t octets)
    {
        return rig.post_text("/api/v1/media", std::string(octets, static_cast<char>('a' + ++files)),
                             "image/png", by.access);
    }
    Answer report(const Person& by)
    {
        return rig.post("/api/v1/reports", {{"txn", uuid(++txns)}, {"user", "root@a.test"}},
                        by.access);
    }

    Rig rig;
    Person root, alice;
    int files = 0, txns = 100;
};

}  // namespace entente::api::testing
