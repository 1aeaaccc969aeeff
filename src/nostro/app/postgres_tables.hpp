// The tables in which users of a published system look: their SQL, and what a frame adds to them.
//
// Rows are made of the profiles' documents. Threads: rows_of belongs to the feed's.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "nostro/adapters/postgres/rows.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/profiles/profile.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// What rows need beyond their frame. Answers may be asked for from any thread.
struct EngineReads {
    std::function<Result<DecodedPtr>(Seq)> frame;
    std::function<PolicyPtr(TenantNo, PolicyVersion)> policy;  // version 0: in force; nullptr: not kept
    std::function<std::string(TenantNo)> tenant;               // its name
    bool says_left_out = true;                                 // rows that their columns cannot hold
};

struct ProfileTables {
    PostgresSchema schema;
    std::vector<PostgresTable> tables;
    std::function<Result<>(const DecodedFrame&, PostgresRows&)> rows_of;
    std::string database, role, password;  // of the original; the profile's settings may say others
};
// nullopt: the original keeps none.
std::optional<ProfileTables> profile_tables(const ProfileEntry& entry, const ProfileSetup& setup,
                                            const EngineReads& reads);

}  // namespace nostro
