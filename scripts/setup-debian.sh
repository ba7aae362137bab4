#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian 12 packages that the project needs and this machine lacks.
#   scripts/setup-debian.sh [build|test|check|cluster|base-image|bench|all]...   (default: build test)
#   scripts/setup-debian.sh --list [purpose]...                  prints the names
# Uses apt-get, through sudo when not root. Where neither is allowed it prints
# what is missing and exits 1. Does nothing when everything is there.
set -eu

packages_build="gcc make libc6-dev binutils protobuf-compiler protobuf-c-compiler libprotoc-dev
	libprotobuf-c-dev libnng-dev libconfig-dev libsqlite3-dev libjansson-dev zlib1g-dev"
packages_test="libcriterion-dev nng-utils procps python3"
packages_check="clang clang-format clang-tidy libclang-rt-14-dev llvm cppcheck shellcheck"
packages_cluster="docker.io docker-compose debootstrap"
packages_base_image="debootstrap"
packages_bench="g++ libgrpc++-dev libprotobuf-dev protobuf-compiler-grpc python3"

usage()
{
	echo "usage: $0 [--list] [build|test|check|cluster|base-image|bench|all]..." >&2
	exit 2
}

# Puts the packages of one purpose into $wanted.
want()
{
	case $1 in
	build) wanted="$wanted $packages_build" ;;
	test) wanted="$wanted $packages_test" ;;
	check) wanted="$wanted $packages_check" ;;
	cluster) wanted="$wanted $packages_cluster" ;;
	base-image) wanted="$wanted $packages_base_image" ;;
	bench) wanted="$wanted $packages_bench" ;;
	all) wanted="$wanted $packages_build $packages_test $packages_check $packages_cluster $packages_bench" ;;
	*) usage ;;
	esac
}

# Prints those of its arguments that dpkg does not know as installed.
missing()
{
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed //p')
	for package in "$@"; do
		printf '%s\n' "$installed" | grep -qxF "$package" || printf '%s\n' "$package"
	done
}

wanted=
list=false
if [ "${1:-}" = --list ]; then
	list=true
	shift
fi
[ $# -gt 0 ] || set -- build test
for purpose in "$@"; do
	want "$purpose"
done
if $list; then
	printf '%s\n' $wanted
	exit 0
fi

if ! command -v dpkg-query >/dev/null; then
	echo "$0: this is not Debian; install what matches:" $wanted >&2
	exit 1
fi
lacking=$(missing $wanted)
[ -n "$lacking" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	as_root=sudo
else
	echo "$0: these Debian packages are missing and neither root nor sudo is at hand:" >&2
	echo "    apt-get install" $lacking >&2
	exit 1
fi

echo "installing:" $lacking
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking >/dev/null
still=$(missing $wanted)
if [ -n "$still" ]; then
	echo "$0: apt-get did not install:" $still >&2
	exit 1
fi
