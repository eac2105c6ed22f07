#!/bin/sh
# Installs kedge, kedge-ca and kedge-emulator from an archive of a release, on Linux and macOS, after it has verified
# the signature of the release's checksums, and the checksum of the archive. Nothing is installed if either fails.
#
# usage: install.sh --signer FILE --from URL|FOLDER [--prefix FOLDER]
#
#     --signer FILE      the public key of the release: get it once, from a place that you trust
#     --from URL|FOLDER  what make packages wrote: the folder with SHA256SUMS
#     --prefix FOLDER    where bin/ and share/ are (default /usr/local)
#
# It needs ssh-keygen (OpenSSH 8.1 or later), tar and, for a URL, curl.
set -eu
umask 022 # other users run the programs and read the pages, whatever the umask of root is
fail() { printf 'install.sh: error: %s\n' "$*" >&2; exit 1; }
usage() { printf 'install.sh: error: %s\ninstall.sh: hint: install.sh --signer FILE --from URL|FOLDER [--prefix FOLDER]\n' "$*" >&2; exit 2; }

signer='' from='' prefix=/usr/local
while [ $# -gt 0 ]; do
    case $1 in
    --signer | --from | --prefix) [ $# -gt 1 ] && [ -n "$2" ] || usage "$1 needs a value" ;;
    *) usage "unknown argument $1" ;;
    esac
    case $1 in
    --signer) signer=$2 ;;
    --from) from=${2%/} ;;
    --prefix) prefix=${2%/} ;;
    esac
    shift 2
done
[ -n "$signer" ] || usage "--signer is missing"
[ -n "$from" ] || usage "--from is missing"
[ -f "$signer" ] || fail "there is no file $signer"

case $(uname -s)/$(uname -m) in
Linux/x86_64) target=linux-amd64 ;;
Linux/aarch64 | Linux/arm64) target=linux-arm64 ;;
Darwin/arm64) target=darwin-arm64 ;;
*) fail "there is no archive for $(uname -s) on $(uname -m): build it with Go, by make" ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/kedge-install-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# get fetches a file of the release into the scratch folder.
get() { # FILE
    case $from in
    https://*) curl --proto '=https' --fail --silent --show-error --location --max-time 600 -o "$work/$(basename "$1")" "$from/$1" || fail "cannot get $from/$1" ;;
    *://*) fail "$from is not https" ;;
    *) cp "$from/$1" "$work/" 2>/dev/null || fail "cannot read $from/$1" ;;
    esac
}

sha256() { # FILE
    if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

get SHA256SUMS
get SHA256SUMS.sig
key=$(grep -v -e '^#' -e '^$' "$signer" | head -n 1)
case $key in
ssh-* | ecdsa-* | sk-*) printf 'kedge-release namespaces="kedge-release" %s\n' "$key" >"$work/signers" ;;
*) fail "$signer has no public key of OpenSSH" ;;
esac
ssh-keygen -q -Y verify -f "$work/signers" -I kedge-release -n kedge-release -s "$work/SHA256SUMS.sig" <"$work/SHA256SUMS" >/dev/null 2>&1 ||
    fail "SHA256SUMS is not signed by the key in $signer: nothing was installed"

line=$(grep -E "^[0-9a-f]{64}  archives/kedge-[0-9A-Za-z.+~-]+-$target\.tar\.gz\$" "$work/SHA256SUMS" || :)
[ "$(printf '%s\n' "$line" | grep -c .)" = 1 ] || fail "SHA256SUMS has not one archive for $target"
archive=${line#*  }
get "$archive"
[ "$(sha256 "$work/$(basename "$archive")")" = "${line%% *}" ] || fail "$archive is not the file that was signed: nothing was installed"

mkdir "$work/new"
tar -xzf "$work/$(basename "$archive")" -C "$work/new"
mkdir -p "$prefix/bin"
cp -R "$work"/new/*/share "$prefix/"
for program in "$work"/new/*/bin/*; do
    name=$(basename "$program")
    install -m 755 "$program" "$prefix/bin/.$name.new"
    mv -f "$prefix/bin/.$name.new" "$prefix/bin/$name" # a program that runs goes on
    printf 'install.sh: done: installed %s\n' "$prefix/bin/$name" >&2
done
