// Commands as they stand in a topic (wire/command_message.hpp), taken by whoever has the Book.
#pragma once
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/ports/topic_reader.hpp"
#include "nostro/wire/arena.hpp"

namespace nostro {

// Commands of a profile stand in a topic of their own, "nostro-commands-logging": they wait there until whoever has the
// Book serves the profile.
std::string profile_commands_topic(std::string_view commands_topic, std::string_view profile);
// Whether an operation of a profile's routes takes something in and needs nothing of the Book for its answer.
bool is_posted_without_book(std::string_view profile, std::string_view operation);

// Adds what the message asks for, as if it had come over HTTP: ids, accounts and assessment are made anew, so that
// whoever may write to the topic can do no more than that. But for a record's id, of whose key nothing is left: a
// forged one takes that id from whoever would use it, and moves no money. Error: nobody can read it, and why. The
// native routes bring payments alone; messages of a profile what they become there: records, accounts and dead letters
// besides. A command of another tenant is one that nobody can read.
Result<> add_command_message(TenantNo tenant, const TopicMessage& message, SubmissionBuilder& builder, Arena& arena);

}  // namespace nostro
