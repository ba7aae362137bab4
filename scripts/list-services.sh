#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes a C file that lists the method tables of the given stub headers.
# usage: list-services.sh GEN_DIR HEADER...
set -eu
gen=$1
shift
echo '/* Generated from the stubs of every service in proto/. */'
echo '#include "rpcctl/methods.h"'
echo
for header in "$@"; do
	echo "#include \"${header#"$gen"/}\""
done
echo
echo '#include <stddef.h>'
echo
echo 'const struct ct_method *const *const rpcctl_services[] = {'
sed -n 's/^extern const struct ct_method \*const \([a-z0-9_]*\)\[\];.*/	\1,/p' "$@"
printf '\tNULL,\n};\n'
