#!/usr/bin/env bash
# Swagger UI, which /docs serves.
exec "$(dirname "${BASH_SOURCE[0]}")/npm_files.sh" swagger-ui swagger-ui-dist 5.35.0 \
    U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ== \
    swagger-ui.css swagger-ui-bundle.js favicon-32x32.png LICENSE NOTICE
