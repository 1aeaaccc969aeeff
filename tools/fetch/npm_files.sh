#!/usr/bin/env bash
# npm_files.sh NAME PACKAGE VERSION SHA512 FILE...
#
# Brings files of an npm package into $NOSTRO_HOME/NAME, once. The archive's SHA-512 (base64) is pinned by the caller, so
# another archive under the same version is refused.
set -euo pipefail

name=$1 package=$2 version=$3 sha512=$4
shift 4
home=${NOSTRO_HOME:-$HOME/.cache/nostro}
folder=$home/$name

[ "$(cat "$folder/version" 2>/dev/null)" = "$version" ] && exit 0
if ! command -v npm >/dev/null; then
    echo "$name: npm is not installed; nostro builds without this page" >&2
    exit 1
fi
mkdir -p "$home"
# Without a network every build would wait for npm's timeouts: after a failure it is not asked for an hour.
failed=$home/$name.failed
if [ -n "$(find "$failed" -mmin -60 2>/dev/null)" ]; then
    echo "$name: could not be fetched a while ago; its page will say so (rm $failed tries again)" >&2
    exit 1
fi
work=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
if ! (cd "$work" && npm pack --loglevel=error --fetch-retries=1 --fetch-timeout=60000 \
    "$package@$version" >/dev/null 2>npm.log); then
    echo "$name: npm could not fetch $package@$version: $(grep -m 1 error "$work/npm.log")" >&2
    touch "$failed"
    exit 1
fi
archive=$work/$package-$version.tgz
found=$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
if [ "$found" != "$sha512" ]; then
    echo "$name: $version has another SHA-512 than pinned: $found" >&2
    exit 1
fi
mkdir "$work/unpacked" "$work/files"
tar -xzf "$archive" -C "$work/unpacked" --strip-components=1 --no-same-owner "${@/#/package/}"
for file in "$@"; do mv "$work/unpacked/$file" "$work/files/"; done
echo "$version" >"$work/files/version"
rm -rf "$folder" "$failed"
mv "$work/files" "$folder"
echo "$name: $version fetched"
