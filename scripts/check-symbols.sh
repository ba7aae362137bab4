#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails when an object of the runtime defines an external symbol without our
# prefix. Generated code names its symbols after the .proto packages, so the
# objects given are those compiled from shared/.
#   scripts/check-symbols.sh OBJECT...
set -eu

[ $# -gt 0 ] || { echo "usage: $0 OBJECT..." >&2; exit 2; }
foreign=$(nm -A -g --defined-only "$@" | awk '$NF !~ /^ct_/' | grep -vE ' [VvWw] ' || true)
if [ -n "$foreign" ]; then
	printf '%s\n' "$foreign" >&2
	echo "external symbols of the runtime start with ct_" >&2
	exit 1
fi
echo "$(nm -g --defined-only "$@" | grep -c ' ct_') external symbols, all ct_"
