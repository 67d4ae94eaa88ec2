// verify-proof: judges a proof of an entry, without a daemon, a configuration or a network,
// and says what it proves, by whose key, and what it doesn't.
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/files.hpp"
#include "daemon/ctl/text.hpp"
#include "daemon/ctl/verbs.hpp"
#include "protocol/entry_proof.hpp"
#include "protocol/problem.hpp"

namespace entente::daemon::ctl {

using nlohmann::json;

namespace {

using protocol::EntryProof;
using protocol::ProvenEntry;
using protocol::ProvenSignature;

struct ProofOptions {
    std::string file;
    std::vector<std::string> server_keys;  // SERVER=KID
};

// What a name may be is its server's business here.
constexpr protocol::NameRules any_server_name{true};

Result<std::string> read_proof(const std::string& path)
{
    auto text = read_file(path, protocol::max_entry_proof_octets);
    // As an editor or a shell ends a file.
    if (text && text->ends_with('\n')) text->pop_back();
    return text;
}

Result<std::vector<protocol::KeyRef>> given_keys(const std::vector<std::string>& texts)
{
    std::vector<protocol::KeyRef> keys;
    for (const auto& text : texts) {
        const auto equals = text.find('=');
        auto server = protocol::parse_server_name(text.substr(0, equals), any_server_name);
        auto key =
            protocol::parse_key_id(equals == std::string::npos ? "" : text.substr(equals + 1));
        if (!server || !key)
            return fail(Code::malformed, text + " isn't SERVER=KID, as a.example=1IG2tMH7…");
        keys.push_back({std::move(*server), std::move(*key)});
    }
    return keys;
}

json signature_json(const ProvenSignature& signature)
{
    return {{"server", signature.key.server.str()},
            {"key", signature.key.key.str()},
            {"at", signature.at},
            {"key_known_by", signature.is_given ? "server-key" : "file"}};
}

json proven_json(const EntryProof& proof, const ProvenEntry& proven)
{
    const auto& event = proven.followed.event;
    json shown{{"result", "proven"},
               {"channel", proof.channel.str()},
               {"epoch", proof.epoch},
               {"seq", proof.seq},
               {"at", proof.at},
               {"hash", proven.hash},
               {"event_id", protocol::to_base64url(event.id)},
               {"event", proof.event},
               {"home", signature_json(proven.home)},
               {"home_by_name", proven.is_home_by_name}};
    if (proven.author) shown["author"] = signature_json(*proven.author);
    if (proven.content_matches) shown["content"] = *proof.content;
    if (!proven.followed.breach.empty()) shown["breach"] = proven.followed.breach;
    return shown;
}

std::string known_by(const ProvenSignature& signature)
{
    return signature.is_given ? "the key you gave"
                              : "a key of which this file alone says that it is that server's";
}

void print_signature(const char* what, const ProvenSignature& signature)
{
    std::cout << "  " << what << " " << signature.key.server.str() << ", at "
              << time_text(signature.at) << " by its clock\n    key " << signature.key.key.str()
              << ", " << known_by(signature) << "\n";
}

void print_proven(const EntryProof& proof, const ProvenEntry& proven)
{
    const auto& event = proven.followed.event;
    std::cout << "PROVEN: entry " << proof.seq << " of " << proof.channel.str() << " (epoch "
              << proof.epoch << ", numbered at " << time_text(proof.at) << ")\n"
              << "  event " << protocol::to_base64url(event.id) << "\n"
              << "    " << harmless(proof.event) << "\n";
    if (proven.content_matches)
        std::cout << "  content, which that event names by its hash\n    "
                  << harmless(*proof.content) << "\n";
    if (!proven.followed.breach.empty())
        std::cout << "  the event breaks a form rule and has no effect: "
                  << harmless(proven.followed.breach) << "\n";
    std::cout << "\nBY\n";
    print_signature("the home's checkpoint:", proven.home);
    if (proven.author) {
        print_signature("the seal of the author's server:", *proven.author);
    } else {
        std::cout
            << "  the author is of the home itself: its checkpoint is its word for that too\n";
    }
}

void print_not_proven(const ProvenEntry& proven)
{
    const auto& sender = proven.followed.event.sender;
    const bool all_given = proven.home.is_given && (!proven.author || proven.author->is_given);
    std::cout << "\nNOT PROVEN\n";
    if (!all_given)
        std::cout << "  whose the key is where this file alone says so: ask that server's\n"
                     "    /.well-known/entente, or somebody who pinned it, and give --server-key\n";
    if (!proven.is_home_by_name)
        std::cout << "  that " << proven.home.key.server.str()
                  << " was the channel's home in this epoch\n";
    if (!proven.content_matches)
        std::cout << "  what was written: the file has the hash of the content alone\n";
    std::cout << "  which person " << harmless(sender.text) << " is: the word of "
              << sender.server.str() << " stands for that\n"
              << "  the times: they are the servers' own\n"
              << "  whether the message was edited or deleted later\n";
}

int refused(const Settings& settings, const Error& error)
{
    if (settings.json) {
        const json problem{{"code", protocol::code_name(error.code)}, {"detail", error.detail}};
        show_json({{"result", "refused"}, {"problem", problem}});
    } else {
        std::cout << "NOT PROVEN: " << harmless(error.detail) << "\n";
    }
    return exit_failed;
}

int verify(const Settings& settings, const ProofOptions& options)
{
    const auto given = given_keys(options.server_keys);
    if (!given) return failed(given.error(), exit_usage);
    const auto text = read_proof(options.file);
    if (!text) return failed(text.error());
    const auto proof = protocol::parse_entry_proof(*text, any_server_name);
    if (!proof) return refused(settings, proof.error());
    const auto proven = protocol::verify_entry_proof(*proof, *given, any_server_name);
    if (!proven) return refused(settings, proven.error());
    if (settings.json) return show_json(proven_json(*proof, *proven));
    print_proven(*proof, *proven);
    print_not_proven(*proven);
    return exit_done;
}

}  // namespace

void add_proof_verbs(Verbs& verbs)
{
    const auto options = std::make_shared<ProofOptions>();
    auto& made =
        verbs.add("verify-proof", "Judges a proof of an entry, with nothing but the file",
                  [options](const Settings& settings) { return verify(settings, *options); });
    made.add_option("FILE", options->file, "What ententctl channel prove has made")->required();
    made.add_option("--server-key", options->server_keys,
                    "A key id that you know to be that server's; may be repeated")
        ->type_name("SERVER=KID");
    made.footer("Exit code: 0 proven, 1 not, 2 usage.");
}

}  // namespace entente::daemon::ctl
