#!/usr/bin/env bash
# Brings the three files of Swagger UI that /docs serves into $NOSTRO_HOME/swagger-ui, once.
# The archive's SHA-512 is pinned here, so another archive under the same version is refused.
set -euo pipefail

version=5.35.0
sha512=U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==
home=${NOSTRO_HOME:-$HOME/.cache/nostro}
folder=$home/swagger-ui

[ "$(cat "$folder/version" 2>/dev/null)" = "$version" ] && exit 0
if ! command -v npm >/dev/null; then
    echo "swagger-ui: npm is not installed; nostro builds without its interactive API page" >&2
    exit 1
fi
mkdir -p "$home"
# Without a network every build would wait for npm's timeouts: after a failure it is not asked for an hour.
failed=$home/swagger-ui.failed
if [ -n "$(find "$failed" -mmin -60 2>/dev/null)" ]; then
    echo "swagger-ui: could not be fetched a while ago; /docs will say so (rm $failed tries again)" >&2
    exit 1
fi
work=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
if ! (cd "$work" && npm pack --loglevel=error --fetch-retries=1 --fetch-timeout=60000 \
    "swagger-ui-dist@$version" >/dev/null 2>npm.log); then
    echo "swagger-ui: npm could not fetch swagger-ui-dist@$version: $(grep -m 1 error "$work/npm.log")" >&2
    touch "$failed"
    exit 1
fi
archive=$work/swagger-ui-dist-$version.tgz
found=$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
if [ "$found" != "$sha512" ]; then
    echo "swagger-ui: $version has another SHA-512 than pinned: $found" >&2
    exit 1
fi
mkdir "$work/files"
tar -xzf "$archive" -C "$work/files" --strip-components=1 --no-same-owner \
    package/swagger-ui.css package/swagger-ui-bundle.js package/favicon-32x32.png package/LICENSE package/NOTICE
echo "$version" >"$work/files/version"
rm -rf "$folder" "$failed"
mv "$work/files" "$folder"
echo "swagger-ui: $version fetched"
