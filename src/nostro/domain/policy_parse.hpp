// The parts of the reader of policies. Internal to policy_parse*.cpp.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/domain/policy_rules.hpp"
#include "nostro/domain/policy_toml.hpp"

namespace nostro {

struct PolicyParser {
    PolicyRules& rules;
    PolicyReading& reading;
    const DaysOf& days_of;
    std::vector<TextPosition> places;  // where the rule or limit of each name stands

    void read_head(PolicyTable& top);
    void read_rails(PolicyTable& top);
    void read_rules(PolicyTable& top);   // policy_parse_rules.cpp
    void read_limits(PolicyTable& top);  // policy_parse_limits.cpp
    void number_rail_bounds();

    // Of a rail, rule or limit: checked to be its only bearer, and made part of what messages say.
    std::string read_name(PolicyTable& table, std::string_view what, const std::vector<std::string>& taken);
    RuleNo number_name(std::string name, TextPosition at);
    Bits read_rail_bits(PolicyTable& table);  // all, when it names none
};

}  // namespace nostro
