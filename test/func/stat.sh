#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-stat looks at weir-echo while the kernel is its client: stat.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

prefix=weir-stat-test-$$
client_pid=
second_pid=

look() {
	"$weir_build/app/weir-stat" --prefix "$prefix" "$@"
}

# shows PATTERN ARG...: what weir-stat prints has a line like that
shows() {
	local pattern=$1

	shift
	look "$@" >"$weir_tmp/shown" || return 1
	cat "$weir_tmp/shown"
	grep -qE -- "$pattern" "$weir_tmp/shown"
}

is_json() {
	look --json "$@" >"$weir_tmp/json" && python3 -m json.tool "$weir_tmp/json"
}

# fails_with STATUS PATTERN ARG...: it ends with that status and says so on stderr
fails_with() {
	local status=$1 pattern=$2 out

	shift 2
	out=$("$weir_build/app/weir-stat" "$@" 2>&1 >/dev/null)
	[ $? -eq "$status" ] && grep -qE -- "$pattern" <<<"$out" && return
	echo "$out"
	return 1
}

# as_nobody PATTERN: the same for a user that may not connect
as_nobody() {
	chmod 711 "$weir_tmp"
	install -m 755 "$weir_build/app/weir-stat" "$weir_tmp/weir-stat"
	setpriv --reuid=nobody --regid=nogroup --clear-groups "$weir_tmp/weir-stat" --prefix "$prefix" \
		2>"$weir_tmp/shown"
	[ $? -eq 1 ] && grep -qE -- "$1" "$weir_tmp/shown"
}

# A connection that stays: what it echoed shows that it is open.
keep_connection() {
	ip netns exec "$weir_ns" nc -N "$weir4" 7 <"$weir_tmp/fifo" >"$weir_tmp/echoed" 2>&1 &
	client_pid=$! # ip becomes nc
	exec 9>"$weir_tmp/fifo"
	echo hello >&9
	wait_for 10 grep -q hello "$weir_tmp/echoed"
}

has_no_connection() {
	! shows "$weir_kernel4" sockets
}

end_connection() {
	[ -z "$client_pid" ] && return
	exec 9>&-
	wait_for 5 is_gone "$client_pid" || kill "$client_pid"
	wait "$client_pid" 2>/dev/null
	client_pid=
}

# Another program of the same prefix: DPDK gives its socket another name.
start_second() {
	sed 's/weir0/weir1/' "$weir_tmp/conf" >"$weir_tmp/conf2"
	ip netns exec "$weir_ns" "$weir_build/app/weir-echo" "$weir_tmp/conf2" >"$weir_tmp/log2" 2>&1 &
	second_pid=$!
	wait_for 60 grep -q ': ready$' "$weir_tmp/log2"
}

end_second() {
	[ -z "$second_pid" ] && return
	kill "$second_pid" 2>/dev/null
	wait "$second_pid"
	second_pid=
}

clean_up() {
	end_connection
	end_second
	weir_clean_up
	rmdir "/var/run/dpdk/$prefix" 2>/dev/null
}

# The connection's other end, as weir-stat writes it.
peer_of_connection() {
	look sockets | awk '$1 == "tcp" && $2 == "ESTABLISHED" { print $7 }'
}

# The opening of the connection, in order; by either end.
has_trace() {
	local peer

	peer=$(peer_of_connection)
	shows "^${weir4//./\\.}:7 to $peer: ESTABLISHED$" trace "$peer" &&
		shows '^ +[0-9]+\.[0-9]{6} s ago  state ESTABLISHED una=1 rcv_nxt=1$' trace "$weir4:7" &&
		look --json trace "$peer" | python3 -c '
import json, sys
trace, = json.load(sys.stdin)[0]["traces"]
ages = [trace["events"][str(i)]["age_us"] for i in range(len(trace["events"]))]
assert ages and ages == sorted(ages, reverse=True), ages'
}

# Values, each with a help text; received packets have ended, but for the last ones.
same_in_json() {
	look --json counters >"$weir_tmp/json" &&
		python3 - "$weir_tmp/json" <<-'EOF'
			import json, sys
			stack, = json.load(open(sys.argv[1]))
			counters = stack["counters"]
			assert counters["tcp"]["accepted"] == 1, counters["tcp"]
			assert abs(counters["core"]["rx_frames"] - sum(counters["fate"].values())) < 100
			assert set(counters) == set(stack["help"])
			for layer in counters:
			    assert set(counters[layer]) == set(stack["help"][layer])
		EOF
}

test_begin
trap clean_up EXIT
mkfifo "$weir_tmp/fifo"
sed "s/^\[eal\]/[eal]\nfile_prefix = $prefix/" "$weir_source/config/quickstart.conf" >"$weir_tmp/conf"
check "no program: said so" fails_with 1 'no running Weir program of that name' --prefix "$prefix"
weir_start "$weir_tmp/log" "$weir_build/app/weir-echo" "$weir_tmp/conf" && kernel_up || exit 1
keep_connection # not in a subshell, which would take the descriptor with it
check "a connection of the kernel's" [ $? -eq 0 ]

check "summary: the port" shows '^tap0 +ethdev +net_tap0 +up' summary
check "summary: its addresses" shows 'addresses: .*10\.77\.0\.2/24' summary
check "summary: the worker" shows '^ +0 +1 +[0-9.]+% +1 '
check "summary: the pools" shows '^descriptors +[0-9]+ +3 ' pools
check "sockets: the listener" shows '^tcp +LISTEN +0 +0 +[0-9]+ +\[::\]:7 +\[::\]:\* +\* +[0-9]+$' sockets
check "sockets: the datagram socket" shows '^udp +UNCONNECTED +0 +0 +0 +\[::\]:7 ' sockets
check "sockets: the connection" shows \
	"^tcp +ESTABLISHED +0 +0 +0 +${weir4//./\\.}:7 +${weir_kernel4//./\\.}:[0-9]+ +0 +[0-9]+$" sockets
check "sockets: its state inside" shows \
	'cubic cwnd:[1-9][0-9]* .*mss:14[0-9]{2} rtt:[0-9.]+/[0-9.]+ rto:[0-9.]+ retrans:0/0$' sockets -i
check "trace: the connection's events" has_trace
check "trace: no such connection" fails_with 1 'no TCP connection with an end 10\.1\.1\.1:1' \
	--prefix "$prefix" trace 10.1.1.1:1
check "trace: of which one" fails_with 2 usage --prefix "$prefix" trace
check "counters: what they mean" shows \
	'^tcp\.accepted +1 +conns +passive opens that became established$' counters
check "counters: zeros are left out" eval '! shows drop_frag_bad counters'
check "counters: unless asked for" shows '^fate.drop_frag_bad +0 ' counters --all
check "counters: per worker" shows '^tcp\.accepted +1 +1 +conns ' counters --per-worker
check "counters: rates" shows '^worker\.turns +[0-9.]+ +turns/s ' counters --all --rate 0.3
check "counters: the same in JSON" same_in_json
for mode in summary sockets counters ports workers pools; do
	check "JSON: $mode" is_json $mode
done
check "by process id" shows '^tap0' --pid "$weir_pid" ports
check "by socket" shows '^tap0' --socket "/var/run/dpdk/$prefix/dpdk_telemetry.v2" ports
check "by stack" shows '^tap0' --stack quickstart ports
check "no such stack" fails_with 1 'no stack other' --prefix "$prefix" --stack other
check "no such process" fails_with 1 'no running Weir program' --pid 999999999
check "no such socket" fails_with 1 'No such file' --socket /nonexistent
check "no such mode" fails_with 2 usage --prefix "$prefix" sock
check "no such option" fails_with 2 usage --prefix "$prefix" --sock
check "another user is told why" as_nobody 'permission denied'

start_second
check "a second program" [ $? -eq 0 ]
check "several programs: both are listed" fails_with 1 "^ *$second_pid +$prefix " --prefix "$prefix"
check "several programs: by process id" shows '^tcp +LISTEN ' --pid "$second_pid" sockets
check "the second has no connection" eval '! shows ESTABLISHED --pid "$second_pid" sockets'
end_second

end_connection
check "sockets: the connection has gone" wait_for 10 has_no_connection
test_stop
test_end
