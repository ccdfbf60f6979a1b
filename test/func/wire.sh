#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# weir-wire between two kernel network stacks: two tap devices, each in a network namespace of its
# own, and ping through them, without and with impairments.
#
# usage: test/func/wire.sh BUILD_DIR      (as root)

set -u

if [ "$(id -u)" != 0 ]; then
	echo "skipped: needs root for network namespaces"
	exit 77
fi
wire=${1:?usage: wire.sh BUILD_DIR}/app/weir-wire
id=wire$$
ns=$id-w # the program's; its taps start here
na=$id-a
nb=$id-b
out=$(mktemp -d)
pid=
failed=0

stop_wire() {
	[ -z "$pid" ] && return
	kill -INT "$pid" 2>/dev/null
	wait "$pid"
	local status=$?
	pid=
	return $status
}

clean_up() {
	stop_wire
	local n
	for n in "$ns" "$na" "$nb"; do
		ip netns del "$n" 2>/dev/null
	done
	rm -rf "$out"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

check() { # NAME CONDITION...
	local name=$1
	shift
	if "$@"; then
		echo "ok   $name"
	else
		echo "FAIL $name: $*"
		failed=$((failed + 1))
	fi
}

wait_for() { # up to 10 s
	local i
	for i in $(seq 100); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

move_tap() { # DEVICE NAMESPACE ADDRESS
	ip -n "$ns" link set "$1" netns "$2" &&
		ip -n "$2" addr add "$3/24" dev "$1" &&
		ip -n "$2" link set "$1" up
}

# Starts weir-wire with the options given and connects the namespaces by it.
start_wire() {
	ip netns exec "$ns" "$wire" --no-huge --no-pci --no-shconf --no-telemetry -m 256 \
		--lcores 0@"$cpus" --vdev net_tap0,iface=wa --vdev net_tap1,iface=wb \
		-- --a net_tap0 --b net_tap1 "$@" >"$out/log" 2>&1 &
	pid=$!
	wait_for grep -q '<->' "$out/log" &&
		move_tap wa "$na" 10.9.0.1 && move_tap wb "$nb" 10.9.0.2 &&
		wait_for ip netns exec "$na" ping -c 1 -W 1 10.9.0.2 && return 0
	cat "$out/log"
	echo "FAIL weir-wire $* did not come up"
	exit 1
}

ping_a_to_b() {
	ip netns exec "$na" ping -q "$@" 10.9.0.2 >"$out/ping"
}

loss() { # percent, whole
	sed -n 's/.* \([0-9]*\)\(\.[0-9]*\)\?% packet loss.*/\1/p' "$out/ping"
}

rtt_us() { # average
	sed -n 's|^rtt [^=]*= [0-9.]*/\([0-9]*\)\.\([0-9]*\)/.*|\1\2|p' "$out/ping" | sed 's/^0*//'
}

cpus=$(taskset -cp $$ | sed 's/.*: //')
cpus="($cpus)"
for n in "$ns" "$na" "$nb"; do
	ip netns add "$n" || exit 1
	ip -n "$n" link set lo up
done

start_wire
ping_a_to_b -c 200 -i 0.005
check 'a clean wire loses nothing' [ "$(loss)" = 0 ]
ping_a_to_b -c 20 -i 0.01 -s 1472
check 'full frames pass' [ "$(loss)" = 0 ]
kill -USR1 "$pid"
check 'SIGUSR1 prints counts' wait_for grep -q '^a to b: received' "$out/log"
stop_wire
check 'SIGINT stops it with status 0' [ $? = 0 ]

start_wire --loss 20% --seed 7
ping_a_to_b -c 300 -i 0.005 -W 1
check "20 % loss each way shows as 24 to 48 % (36 % expected; $(loss) %)" \
	[ "$(loss)" -ge 24 -a "$(loss)" -le 48 ]
stop_wire

start_wire --delay 20ms --ab-rate 1Mbit
ping_a_to_b -c 20 -i 0.06 -s 1222 # 1264 bytes with headers: 10 ms at 1 Mbit/s
check "2 * 20 ms delay and 10 ms rate ($(rtt_us) us)" \
	[ "$(rtt_us)" -ge 50000 -a "$(rtt_us)" -le 65000 ]
check 'delay loses nothing' [ "$(loss)" = 0 ]
stop_wire

start_wire --dup 100%
ping_a_to_b -c 50 -i 0.01
check 'duplicates arrive' grep -q duplicates "$out/ping"
check 'duplicates are no loss' [ "$(loss)" = 0 ]
stop_wire

start_wire --seconds 2
wait_for test ! -d "/proc/$pid"
check '--seconds ends it' test ! -d "/proc/$pid"
wait "$pid"
pid=

"$wire" --no-huge --no-pci --no-shconf --no-telemetry -m 256 --lcores 0@"$cpus" -- --a x --b y \
	>"$out/log" 2>&1
check 'an unknown device is an error' [ $? = 1 ]
check 'and is named' grep -q 'device x: not found' "$out/log"
"$wire" --help | grep -q -- --corrupt
check '--help helps' [ $? = 0 ]

exit $((failed != 0))
