# SPDX-License-Identifier: Apache-2.0
# Sourced by bash scripts that start report-svc and patient-svc on this machine.
#   pair_bin=build/bin pair_dir=DIR     DIR takes the logs; both services start there
#   pair_start report-svc CONFIG [OPTION]...   returns when it listens, its address in $pair_url
#   pair_stop      SIGTERM to what was started, waits, says how each ended
# shellcheck shell=bash disable=SC2154 # pair_bin and pair_dir are the caller's

pair_pids=()
pair_names=()

# Something to wait on that never comes, for a pause between two looks.
pair_pause()
{
	[ -p "$pair_dir/never" ] || mkfifo "$pair_dir/never"
	read -rt 0.02 <>"$pair_dir/never" || :
}

pair_start()
{
	local name=$1 config=$2 log=$pair_dir/$1.log pid
	shift 2

	: >"$log"
	# A process group of its own: Ctrl-C is for the script, which then sends the
	# one SIGTERM; a second signal would end the drain.
	set -m
	"$pair_bin/$name" -c "$config" "$@" >>"$log" 2>&1 &
	pid=$!
	set +m
	pair_pids+=("$pid")
	pair_names+=("$name")
	while pair_url=$(sed -n 's/.*msg=listening url=//p' "$log" | head -n 1); [ -z "$pair_url" ]; do
		if ! kill -0 "$pid" 2>/dev/null; then
			echo "$name did not start:" >&2
			cat "$log" >&2
			return 1
		fi
		pair_pause
	done
}

# In the other order than they were started: who calls goes before who is called.
pair_stop()
{
	local i status result=0

	for ((i = ${#pair_pids[@]} - 1; i >= 0; i--)); do
		kill -TERM "${pair_pids[i]}" 2>/dev/null
		wait "${pair_pids[i]}"
		status=$?
		echo "${pair_names[i]} stopped, exit status $status"
		[ "$status" -eq 0 ] || result=1
	done
	pair_pids=()
	pair_names=()
	return $result
}
