#!/usr/bin/env python3
"""Makes src/nostro/generate/paysim_tables.hpp: amounts by type as integer inverse tables.

A distribution of the standard library, or exp() and log(), may differ in the last bit between machines, and then
the same seed would not give the same file. So the shapes are computed once, here, and the generator only
interpolates between whole numbers. Each table's mean is the published mean of its type.

Run:  tools/paysim_tables.py > src/nostro/generate/paysim_tables.hpp, then ./dev format
"""

import math

KNOTS = 256  # knots of the body at i/256; the last step is divided into 256 again, for the tail

# type: (shape, parameter, published mean in cents, largest amount in cents)
TYPES = {
    "CASH_IN": ("gamma", 1.8, 16_892_024, 191_522_030),
    "CASH_OUT": ("gamma", 1.6, 17_627_396, 1_000_000_000),
    "DEBIT": ("lognormal", 1.08, 548_367, 56_900_000),
    "PAYMENT": ("gamma", 1.09, 1_305_760, 23_863_796),
    "TRANSFER": ("lognormal", 1.29, 91_064_701, 9_244_552_000),
}


def gamma_quantiles(shape, probabilities):
    """Quantiles of gamma(shape, 1) by walking its density in small steps."""
    found, cumulated, x, step = [], 0.0, 0.0, 0.0005
    norm = math.gamma(shape)
    density = lambda v: v ** (shape - 1) * math.exp(-v) / norm if v > 0 else 0.0
    for p in probabilities:
        while cumulated < p and x < 60:
            cumulated += (density(x) + density(x + step)) / 2 * step
            x += step
        found.append(x)
    return found


def normal_quantile(p):
    low, high = -9.0, 9.0
    for _ in range(80):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2)) < p:
            low = middle
        else:
            high = middle
    return low


def table(kind, parameter, mean, largest):
    body = [i / KNOTS for i in range(KNOTS)]
    tail = [(KNOTS - 1 + i / KNOTS) / KNOTS for i in range(1, KNOTS)] + [1 - 2e-7]
    probabilities = body + tail
    if kind == "gamma":
        quantiles = gamma_quantiles(parameter, probabilities)
    else:
        quantiles = [math.exp(parameter * normal_quantile(p)) if p > 0 else 0.0 for p in probabilities]
    scale = 1.0
    for _ in range(60):  # clipping moves the mean: approach it
        knots = [min(largest, max(1, round(q * scale))) for q in quantiles]
        knots[0], knots[-1] = 1, largest
        scale *= mean / table_mean(knots)
    return knots


def table_mean(knots):
    body = sum((knots[i] + knots[i + 1]) / 2 for i in range(KNOTS - 1)) / KNOTS
    tail = sum((knots[i] + knots[i + 1]) / 2 for i in range(KNOTS - 1, 2 * KNOTS - 1)) / KNOTS / KNOTS
    return body + tail


def main():
    print("// Made by tools/paysim_tables.py. Amounts in minor units of a currency with two decimals.")
    print("#pragma once\n#include <array>\n#include <cstdint>\n\nnamespace nostro::paysim {\n")
    print("// Knots of the inverse distribution: kKnots of the body at i / kKnots, then kKnots that divide the last step again.")
    print(f"inline constexpr std::size_t kKnots = {KNOTS};\nusing AmountTable = std::array<std::int64_t, 2 * kKnots>;\n")
    for name, (kind, parameter, mean, largest) in TYPES.items():
        print(f"// mean {table_mean(table(kind, parameter, mean, largest)) / 100:,.2f}")
        print(f"inline constexpr AmountTable k{name.title().replace('_', '')} = {{")
        knots = table(kind, parameter, mean, largest)
        for i in range(0, len(knots), 12):
            print("    " + ", ".join(str(k) for k in knots[i : i + 12]) + ",")
        print("};\n")
    print("}  // namespace nostro::paysim")


if __name__ == "__main__":
    main()
