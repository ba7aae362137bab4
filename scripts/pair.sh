# SPDX-License-Identifier: Apache-2.0
# Sourced by bash scripts that start report-svc and patient-svc on this machine.
#   pair_bin=build/bin pair_dir=DIR     DIR takes the logs; both services start there
#   pair_listen PORT                    tcp://127.0.0.1:PORT, or port 0 when PORT is taken
#   pair_start report-svc ARGUMENT...   returns when it serves; its address in $pair_url
#   pair_retry COMMAND...               until it succeeds; false after some 20 s
#   pair_pid report-svc                 its process
#   pair_stop                           SIGTERM to what was started, waits, says how each ended
# shellcheck shell=bash disable=SC2154 # pair_bin and pair_dir are the caller's

pair_pids=()
pair_names=()

# Something to wait on that never comes, for a pause between two looks.
pair_pause()
{
	[ -p "$pair_dir/never" ] || mkfifo "$pair_dir/never"
	read -rt 0.02 <>"$pair_dir/never" || :
}

pair_retry()
{
	local until=$((SECONDS + 20))

	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 1
		pair_pause
	done
}

pair_listen()
{
	if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
		echo "tcp://127.0.0.1:0"
	else
		echo "tcp://127.0.0.1:$1"
	fi
}

pair_healthy()
{
	"$pair_bin/rpcctl" -a "$pair_url" -t 2s health >/dev/null 2>&1
}

# Listens or is gone: $pair_url has its address, or nothing.
pair_settled()
{
	pair_url=$(sed -n 's/.* msg=listening url=//p' "$2" | head -n 1)
	[ -n "$pair_url" ] || ! kill -0 "$1" 2>/dev/null
}

pair_start()
{
	local name=$1 log=$pair_dir/$1.log pid
	shift

	: >"$log"
	"$pair_bin/$name" "$@" >>"$log" 2>&1 &
	pid=$!
	pair_pids+=("$pid")
	pair_names+=("$name")
	if ! pair_retry pair_settled "$pid" "$log" || [ -z "$pair_url" ] || ! pair_retry pair_healthy; then
		echo "$name did not start:" >&2
		cat "$log" >&2
		return 1
	fi
}

pair_pid()
{
	local i

	for i in "${!pair_names[@]}"; do
		[ "${pair_names[i]}" != "$1" ] || echo "${pair_pids[i]}"
	done
}

# In the other order than they were started: who calls goes before who is called.
pair_stop()
{
	local i status result=0

	for ((i = ${#pair_pids[@]} - 1; i >= 0; i--)); do
		kill -CONT "${pair_pids[i]}" 2>/dev/null # one that was stopped could not end
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
