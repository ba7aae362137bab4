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
# FOLDER itself name these only. Of "conc/pool.h" conc counts; of what the
# services are made of, as "clinic/domain/fields.h", the whole folder.
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
		done < <(sed -nE -e 's/^#[[:space:]]*include "((patient-svc|report-svc|clinic).*)\/[^/]*"/\1/p' \
			-e '/include "clinic/!s/^#[[:space:]]*include "([A-Za-z_]+)\/.*/\1/p' "$file")
	done
}

seen=
for layer in base conc obs conf wire net rpc; do
	seen="$seen $layer"
	case $layer in
	rpc) extra="ct google" ;;
	*) extra= ;;
	esac
	allowed "shared/$layer" "$seen $extra"
done
# What every service of ours starts with may see all of the runtime.
allowed shared/rpc/services "base conc obs conf wire net rpc json store ct google"
allowed shared/json "base json"
allowed shared/store "base conc obs store"

# Services: main -> app -> handlers -> domain; handlers also use clients and store.
# The domain may speak in messages, but knows no thread, call or SQL. What both
# services need is in clinic/, in the same folders.
below="base conc obs conf wire net rpc json store ct clinic/v1"
# parts NAME...: these folders of the service at hand, and of clinic/.
parts()
{
	local part

	for part; do
		printf '%s ' "clinic/$part" "$svc/$part"
	done
}
for svc in clinic patient-svc report-svc; do
	allowed "$svc/domain" "base clinic/v1 $(parts domain)"
	allowed "$svc/store" "base conc obs conf store clinic/v1 $(parts domain store)"
	allowed "$svc/clients" "$below $(parts domain clients)"
	allowed "$svc/handlers" "$below $(parts domain store clients handlers)"
	allowed "$svc" "$below clinic $svc $(parts domain store clients handlers)"
done

# home "HEADER_REGEX" "HOME_REGEX": includes of a library outside its home.
home()
{
	local header=$1 where=$2 hit

	while read -r hit; do
		complain "$hit: <$header> has its one home in $where"
	done < <(grep -rnE "^#[[:space:]]*include <($header)" --include='*.[ch]' \
		shared clinic patient-svc report-svc tools 2>/dev/null | cut -d: -f1,2 | grep -vE "^($where)")
}
home 'nng/' 'shared/net/'
home 'libconfig' 'shared/conf/'
home 'sqlite3|libpq|postgresql/' 'shared/store/'
home 'jansson' 'shared/json/'
home 'protobuf-c/' 'shared/(rpc|json)/|clinic/|patient-svc/|report-svc/|tools/'
home 'zlib' 'tools/(sdtm-import|study-gen)/'
home 'criterion/' 'tests/'

[ "$files" -gt 0 ] || complain "no source file found below $PWD"
[ "$status" -ne 0 ] || echo "$files files keep to their layers"
exit "$status"
