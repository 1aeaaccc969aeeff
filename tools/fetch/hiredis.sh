#!/usr/bin/env bash
# Brings hiredis with TLS into $NOSTRO_HOME/hiredis, once: Debian's is built without. The Python package of that name
# carries the C sources; its archive's SHA-256 is pinned, and pip looks at that before anything else.
set -euo pipefail

version=3.5.0 # of the package: hiredis 1.5.0
sha256=c227592cc56b7df247abe4755c26723965be68972be2149fa441ac33d82131ba
home=${NOSTRO_HOME:-$HOME/.cache/nostro}
folder=$home/hiredis

[ "$(cat "$folder/version" 2>/dev/null)" = "$version" ] && exit 0
mkdir -p "$home"
# Without a network every build would wait for pip's timeouts: after a failure it is not asked for an hour.
failed=$home/hiredis.failed
if [ -n "$(find "$failed" -mmin -60 2>/dev/null)" ]; then
    echo "hiredis: could not be fetched a while ago; nostro builds without Redis (rm $failed tries again)" >&2
    exit 1
fi
work=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() {
    echo "hiredis: $1; nostro builds without Redis" >&2
    touch "$failed"
    exit 1
}

pip=$(command -v pip3 || true)
if [ -z "$pip" ]; then
    python3 -m venv venv >venv.log 2>&1 || fail "neither pip3 nor python3-venv is installed"
    pip=$work/venv/bin/pip
fi
echo "hiredis==$version --hash=sha256:$sha256" >requirements.txt
"$pip" --disable-pip-version-check --no-input download --quiet --no-deps --no-binary hiredis --require-hashes \
    -r requirements.txt >pip.log 2>&1 || fail "pip could not fetch $version: $(grep -m 1 ERROR pip.log)"
echo "$sha256  hiredis-$version.tar.gz" | sha256sum --quiet -c - || fail "$version has another SHA-256 than pinned"

tar -xzf "hiredis-$version.tar.gz" --strip-components=1 --no-same-owner
cd vendor/hiredis
mkdir -p ../files/include/hiredis ../files/lib
for source in alloc async hiredis net read sds sockcompat ssl; do
    "${CC:-cc}" -std=c99 -O2 -g1 -fPIC -fstack-protector-strong -w -c "$source.c" -o "../$source.o" 2>../cc.log ||
        fail "$source.c does not compile: $(grep -m 1 error ../cc.log)"
done
ar rcs ../files/lib/libhiredis.a ../*.o
cp ./*.h ../files/include/hiredis/
cp COPYING ../files/
echo "$version" >../files/version
rm -rf "$folder" "$failed"
mv ../files "$folder"
echo "hiredis: $(sed -n 's/.*HIREDIS_SONAME //p' "$folder/include/hiredis/hiredis.h") built"
