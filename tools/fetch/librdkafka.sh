#!/usr/bin/env bash
# librdkafka.sh [--prefix]
#
# Brings librdkafka, the C client of Kafka, into $NOSTRO_HOME and builds it as a static library, once a version and a
# set of flags. --prefix only tells where that is. The sources come out of an npm package whose SHA-512 (base64) is
# pinned here; Debian's own librdkafka is too old for what the journal asks of it.
set -euo pipefail

package=@confluentinc/kafka-javascript package_version=1.10.1 version=2.15.1
sha512=KVePUBn21EqCVP9mfxzEuM3SYJHHEF7X+iiC2e43QQgDSyEaksInmCGooT3w5q+cNAdkSCrK71j0ICfqoSqZLw==
flags=(--disable-gssapi --disable-curl --disable-lz4-ext --CFLAGS=-fPIC)

home=${NOSTRO_HOME:-$HOME/.cache/nostro}
prefix=$home/librdkafka-$version-$(printf '%s ' "${flags[@]}" | sha256sum | cut -c 1-8)
if [ "${1:-}" = --prefix ]; then
    echo "$prefix"
    exit
fi
[ -e "$prefix/lib/librdkafka.a" ] && exit
for program in npm make gcc; do
    command -v "$program" >/dev/null && continue
    echo "librdkafka: $program is not installed; nostro builds without Kafka" >&2
    exit 1
done
mkdir -p "$home"
# Without a network every build would wait for npm's timeouts: after a failure it is not asked for an hour.
failed=$home/librdkafka.failed
if [ -n "$(find "$failed" -mmin -60 2>/dev/null)" ]; then
    echo "librdkafka: could not be fetched a while ago; nostro builds without Kafka (rm $failed tries again)" >&2
    exit 1
fi
work=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! npm pack --loglevel=error --fetch-retries=1 --fetch-timeout=60000 "$package@$package_version" >/dev/null 2>npm.log; then
    echo "librdkafka: npm could not fetch $package@$package_version: $(grep -m 1 error npm.log)" >&2
    touch "$failed"
    exit 1
fi
archive=confluentinc-kafka-javascript-$package_version.tgz
found=$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
if [ "$found" != "$sha512" ]; then
    echo "librdkafka: $package@$package_version has another SHA-512 than pinned: $found" >&2
    exit 1
fi
tar -xzf "$archive" --no-same-owner package/deps/librdkafka
cd package/deps/librdkafka
# Not named configure.log: the configure script takes any file of that name for one of its modules.
log=$home/librdkafka-build.log
build() {
    ./configure --prefix="$prefix.new" --libdir="$prefix.new/lib" "${flags[@]}" &&
        make -C src -j "${NOSTRO_JOBS:-$(nproc)}" librdkafka.a &&
        mkdir -p "$prefix.new/lib" "$prefix.new/include/librdkafka" &&
        cp src/librdkafka.a "$prefix.new/lib/" &&
        cp src/rdkafka.h src/rdkafka_mock.h "$prefix.new/include/librdkafka/" &&
        cp LICENSE LICENSES.txt "$prefix.new/"
}
rm -rf "$prefix.new"
if ! build >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "librdkafka: could not be built; nostro builds without Kafka. All of it: $log" >&2
    exit 1
fi
rm -rf "$prefix" "$failed"
mv "$prefix.new" "$prefix"
echo "librdkafka: $version built"
