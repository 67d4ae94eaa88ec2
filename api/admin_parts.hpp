// What the routes for administrators have in common.
#pragma once

#include <cstddef>
#include <string>

#include "api/sessions.hpp"
#include "net/http_message.hpp"
#include "protocol/result.hpp"

namespace entente::api {

// A page of a list: ?cursor= and ?limit=, 50 where it is absent. `malformed`.
struct AdminPage {
    std::string after;  // what the cursor holds; "" at first
    std::size_t limit = 50;
};
[[nodiscard]] Result<AdminPage> admin_page(const net::Request& request, std::int64_t most);
// Of a list by falling numbers from 1 on: below which one the page begins; 0 for the first page.
// `malformed`.
[[nodiscard]] Result<std::int64_t> number_behind(const AdminPage& page);
// JSON: the cursor behind `last`; null where that is empty.
[[nodiscard]] std::string next_cursor(const std::string& last);

}  // namespace entente::api
