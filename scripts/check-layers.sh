#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fails when a file includes what its layer may not see, or a library's header
# outside that library's one home. Layers stand in the order of ARCHITECTURE.md.
#   scripts/check-layers.sh [ROOT]
set -u

cd "${1:-.}" || exit 2
status=0
files=0

complain()
{
	echo "$1" >&2
	status=1
}

# allowed FOLDER "LAYERS...": the quoted includes of the .c and .h files of
# FOLDER itself name these only. Of "conc/pool.h" conc counts, of a service's
# "patient-svc/domain/x.h" the folder it is in.
allowed()
{
	local folder=$1 layers=" $2 " file inc

	for file in "$folder"/*.[ch]; do
		[ -f "$file" ] || continue
		files=$((files + 1))
		while read -r inc; do
			case "$layers" in
			*" $inc "*) ;;
			*) complain "$file: may not include \"$inc/...\"; allowed:$layers" ;;
			esac
		done < <(sed -nE -e 's/^#[[:space:]]*include "((patient|report)-svc.*)\/[^/]*"/\1/p' \
			-e 's/^#[[:space:]]*include "([A-Za-z_]+)\/.*/\1/p' "$file")
	done
}

# Generated messages live in ct/v1, clinic/v1 and google/protobuf.
gen="ct clinic google"
seen=
for layer in base conc obs conf wire net rpc; do
	seen="$seen $layer"
	case $layer in
	rpc) extra="ct google" ;;
	*) extra= ;;
	esac
	allowed "shared/$layer" "$seen $extra"
done
allowed shared/rpc/services "base conc obs conf wire net rpc json ct google"
allowed shared/json "base json"
allowed shared/store "base conc obs store"

# Services: main -> app -> handlers -> domain; handlers also use clients and store.
# The domain may speak in messages, but knows no thread, call or SQL.
below="base conc obs conf wire net rpc json store $gen"
for svc in patient-svc report-svc; do
	allowed "$svc/domain" "base clinic $svc/domain"
	allowed "$svc/store" "base conc obs conf store $svc/domain $svc/store"
	allowed "$svc/clients" "$below $svc/domain $svc/clients"
	allowed "$svc/handlers" "$below $svc/domain $svc/store $svc/clients $svc/handlers"
	allowed "$svc" "$below $svc $svc/domain $svc/store $svc/clients $svc/handlers"
done

# home "HEADER_REGEX" "HOME_REGEX": includes of a library outside its home.
home()
{
	local header=$1 where=$2 hit

	while read -r hit; do
		complain "$hit: <$header> has its one home in $where"
	done < <(grep -rnE "^#[[:space:]]*include <($header)" --include='*.[ch]' \
		shared patient-svc report-svc tools 2>/dev/null | cut -d: -f1,2 | grep -vE "^($where)")
}
home 'nng/' 'shared/net/'
home 'libconfig' 'shared/conf/'
home 'sqlite3|libpq|postgresql/' 'shared/store/'
home 'jansson' 'shared/json/'
home 'protobuf-c/' 'shared/(rpc|json)/|patient-svc/|report-svc/|tools/'
home 'zlib' 'tools/(sdtm-import|study-gen)/'
# Ids must differ in a forked child, which only pthread_atfork() can tell.
home 'pthread' 'shared/conc/|shared/base/id\.c'
home 'criterion/' 'tests/'

[ "$files" -gt 0 ] || complain "no source file found below $PWD"
[ "$status" -ne 0 ] || echo "$files files keep to their layers"
exit "$status"
