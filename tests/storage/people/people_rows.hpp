// A database with alice and bob, each with a device.
#pragma once

#include <gtest/gtest.h>

#include "storage/account_store.hpp"
#include "storage/device_store.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/storage/support.hpp"

namespace entente::storage {

class PeopleRows : public ::testing::Test {
 protected:
    PeopleRows()
        : database(make_sqlite_database(folder.file("db"))), db(database->open_writer().value())
    {
        alice = create_user(*db, "alice", "hash", AccountRole::user, 1).value();
        bob = create_user(*db, "bob", "hash", AccountRole::user, 1).value();
        phone = add_device(alice, "alice", 1);
        laptop = add_device(bob, "bob", 2);
    }

    static protocol::Uuid uuid(int number)
    {
        protocol::Uuid made;
        made.octets[14] = static_cast<std::uint8_t>(number / 256);
        made.octets[15] = static_cast<std::uint8_t>(number % 256);
        return made;
    }
    Result<void> log_in(std::int64_t user, int device)
    {
        NewSession session;
        session.id = uuid(1000 + ++sessions);
        session.user = user;
        session.device = {uuid(device), std::string(32, 'k'), "a device"};
        session.refresh_hash[0] = static_cast<std::uint8_t>(sessions);
        session.refresh_hash[1] = static_cast<std::uint8_t>(sessions / 256);
        session.now = 1;
        session.expires_at = 1'000'000;
        return create_session(*db, session);
    }
    std::int64_t add_device(std::int64_t user, const std::string& name, int device)
    {
        EXPECT_TRUE(log_in(user, device));
        return find_device(*db, name, uuid(device)).value().value_or(0);
    }

    testing::TemporaryFolder folder;
    std::unique_ptr<Database> database;
    std::unique_ptr<Connection> db;
    int sessions = 0;
    std::int64_t alice = 0, bob = 0, phone = 0, laptop = 0;
};

}  // namespace entente::storage
