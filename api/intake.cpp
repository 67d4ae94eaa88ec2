#include "api/intake.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "api/asking.hpp"
#include "api/route_parts.hpp"
#include "api/wire.hpp"

namespace entente::api {
namespace {

// What a post is counted as beside its content.
constexpr std::size_t post_overhead = 256;

std::size_t octets_of(const FramePost& post)
{
    return post.content.size() + post_overhead;
}

// Posts of one batch become one commit where they can; the results keep their order.
asio::awaitable<std::string> post_all(Api& api, const Caller& caller, std::vector<FramePost> posts)
{
    std::vector<federation::Channels::Post> wanted;
    wanted.reserve(posts.size());
    const auto person = person_of(caller);
    for (auto& post : posts) {
        if (post.error) continue;
        auto allowed = api.user_rates().take(caller.user.str(), api.now());
        if (!allowed) {
            post.error = allowed.error();
            continue;
        }
        wanted.push_back({{caller.user, caller.device, post.txn, person},
                          post.channel,
                          std::move(post.content)});
    }
    std::vector<Result<federation::Posted>> results;
    if (!wanted.empty()) results = co_await api.channels().post_all(std::move(wanted));

    std::string frame = R"({"results":[)";
    std::size_t next = 0;
    for (const auto& post : posts) {
        Result<federation::Posted> result =
            post.error ? Result<federation::Posted>{protocol::Failure{*post.error}}
                       : results.at(next++);
        if (!result && !post.error)
            result = tl::unexpected(within_content(
                result.error(), "/posts/" + std::to_string(post.index) + "/content"));
        append_item(frame, result_json(post.txn_text, result, api.now()));
    }
    co_return frame + "]}";
}

}  // namespace

Intake::Intake(Api& api, std::shared_ptr<Follower> follower)
    : api_(api),
      follower_(std::move(follower)),
      waiting_octets_(api.post_room()),
      room_(api.parts().io)
{
}

Intake::~Intake() = default;

asio::awaitable<void> Intake::take(std::vector<FramePost> posts)
{
    if (posts.empty()) {
        follower_->answer(R"({"results":[]})");
        co_return;
    }
    for (auto& post : posts) {
        waiting_octets_.take(octets_of(post));
        waiting_.push_back(std::move(post));
    }
    if (!running_) {
        running_ = true;
        api_.parts().tasks.spawn(run());
    }
    while (waiting_octets_.held() > waiting_octets_.most() && running_) co_await room_.wait();
}

std::vector<FramePost> Intake::next_batch()
{
    std::vector<FramePost> batch;
    batch.reserve(std::min(waiting_.size(), max_posts_a_frame));
    std::size_t octets = 0;
    while (!waiting_.empty() && batch.size() < max_posts_a_frame && octets < max_batch_octets) {
        octets += octets_of(waiting_.front());
        waiting_octets_.give_back(octets_of(waiting_.front()));
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return batch;
}

asio::awaitable<void> Intake::run()
{
    // Held by its own task: the socket may be gone before the commit is done.
    const auto self = shared_from_this();
    struct Ending {
        Intake& intake;
        ~Ending()
        {
            intake.running_ = false;
            intake.room_.notify();
        }
    };
    const Ending ending{*this};
    // A session that has ended hands in nothing more; what got no result may be repeated.
    while (!waiting_.empty() && !follower_->has_ended()) {
        auto batch = next_batch();
        room_.notify();
        auto results = co_await post_all(api_, follower_->caller(), std::move(batch));
        follower_->answer(std::move(results));
    }
}

}  // namespace entente::api
