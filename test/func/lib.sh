# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Steps that ./quickstart and the functional tests share. To be sourced. What it starts and makes is
# noted, and weir_clean_up ends and removes it: call that from a trap on EXIT.
#
# Sets and uses   weir_ns    the network namespace, with the kernel as Weir's peer in it
#                 weir_pid   the program that runs there, empty without
#                 weir_tmp   a directory for what the run leaves behind

weir_ns=
weir_pid=
weir_tmp=
weir_hugepages_added=0
weir_hugepages_before=0

# The kernel's side of the tap in config/quickstart.conf, and Weir's.
weir_iface=weir0
weir_kernel4=10.77.0.1
weir_kernel6=fd77::1
weir4=10.77.0.2
weir6=fd77::2

# show COMMAND...: run it; quickstart replaces this by one that prints the command first
if ! declare -F show >/dev/null; then
	show() {
		"$@"
	}
fi

# wait_for SECONDS COMMAND...: until it succeeds; 1: it did not in time
wait_for() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.05
	done
}

# ---- packages ----

# Debian packages: to build, and to try it with the kernel as the client
weir_packages_build=(gcc libc6-dev meson ninja-build pkg-config libdpdk-dev libnuma-dev libssl-dev libjansson-dev
	libcunit1-dev)
weir_packages_try=(iproute2 iputils-ping curl wrk)
# and to run every test
weir_packages_test=("${weir_packages_try[@]}" clang clang-format libclang-rt-14-dev apache2-utils
	bird2 ethtool iperf3 iputils-tracepath netcat-openbsd python3 traceroute)
# and to run it on emulated NICs
weir_packages_nic=(qemu-system-x86 busybox-static cpio kmod socat curl iproute2 iputils-ping python3)

# packages_missing PACKAGE...: prints those that are not installed
packages_missing() {
	local package

	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

# packages_install PACKAGE...: those that are missing, by sudo unless we are root
packages_install() {
	local sudo=() missing

	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -eq 0 ] && return 0
	[ "$(id -u)" -eq 0 ] || sudo=(sudo)
	# Package lists may be missing or old: then fetch them and try again.
	show "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends "${missing[@]}" ||
		{ show "${sudo[@]}" apt-get update -q &&
			show "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -q --no-install-recommends "${missing[@]}"; }
}

# ---- network namespace ----

# ns_make: a namespace of a name that is not in use; its name is in $weir_ns
ns_make() {
	weir_ns=weir-$$-$RANDOM # before it is there: we may be broken off
	show ip netns add "$weir_ns" || return 1
	ip -n "$weir_ns" link set lo up
}

in_ns() {
	ip netns exec "$weir_ns" "$@"
}

# ---- hugepages ----

weir_hugepages=/sys/kernel/mm/hugepages/hugepages-2048kB

# hugepages_reserve MB: 2 MiB pages, that many free; not an error if the machine has no room
hugepages_reserve() {
	local total missing

	[ -w $weir_hugepages/nr_hugepages ] || return 1
	total=$(<$weir_hugepages/nr_hugepages)
	missing=$(($1 / 2 - $(<$weir_hugepages/free_hugepages)))
	[ $missing -le 0 ] && return 0
	weir_hugepages_before=$total
	weir_hugepages_added=$missing # before they are there: we may be broken off
	echo $((total + missing)) >$weir_hugepages/nr_hugepages
	weir_hugepages_added=$(($(<$weir_hugepages/nr_hugepages) - total))
	[ "$(<$weir_hugepages/free_hugepages)" -ge $(($1 / 2)) ]
}

# hugepages_restore: give back what was added; others may have reserved some meanwhile
hugepages_restore() {
	local to

	[ $weir_hugepages_added -eq 0 ] && return
	to=$(($(<$weir_hugepages/nr_hugepages) - weir_hugepages_added))
	[ $to -ge $weir_hugepages_before ] || to=$weir_hugepages_before
	echo $to >$weir_hugepages/nr_hugepages
	weir_hugepages_added=0
}

# ---- a program in the namespace ----

is_ready_or_gone() {
	grep -q ': ready$' "$1" || ! kill -0 "$weir_pid"
}

# weir_start LOG PROGRAM ARG...: start it in the namespace, wait until it is ready
weir_start() {
	local log=$1

	shift
	: >"$log" # the "ready" of an earlier one must not be seen
	ip netns exec "$weir_ns" "$@" >"$log" 2>&1 &
	weir_pid=$! # ip becomes the program
	if ! wait_for 60 is_ready_or_gone "$log" || ! grep -q ': ready$' "$log"; then
		echo "$1 does not start:" >&2
		tail -n 5 "$log" >&2
		return 1
	fi
}

# kernel_up: give the kernel's side of the tap its addresses. Its MAC address is that of Weir's side
# at first: another one, as it would be on a wire. nodad: the address can be used at once.
kernel_up() {
	show ip -n "$weir_ns" link set $weir_iface address 02:00:00:00:77:01 up &&
		show ip -n "$weir_ns" address add $weir_kernel4/24 dev $weir_iface &&
		show ip -n "$weir_ns" address add $weir_kernel6/64 dev $weir_iface nodad
}

# weir_stop: end the program as Ctrl-C would; its exit status
weir_stop() {
	local pid=$weir_pid

	[ -z "$pid" ] && return 0
	weir_pid=
	kill -TERM "$pid" 2>/dev/null
	if ! wait_for 20 is_gone "$pid"; then
		echo "process $pid does not end: killed" >&2
		kill -KILL "$pid"
	fi
	wait "$pid"
}

# A child that has ended stays a zombie until it is waited for.
is_gone() {
	local state

	state=$(sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

weir_clean_up() {
	weir_stop
	if [ -n "$weir_ns" ]; then
		[ ! -e "/run/netns/$weir_ns" ] || ip netns del "$weir_ns"
		weir_ns=
	fi
	hugepages_restore
	[ -n "$weir_tmp" ] && rm -rf "$weir_tmp"
	weir_tmp=
}

# ---- another host behind the kernel's namespace ----

far_ns=weir-far-$$
far4=10.99.0.2
far6=fd99::2

# far_make: the kernel's namespace is a router to it, by a veth
far_make() {
	ip netns add "$far_ns" &&
		ip -n "$weir_ns" link add far0 type veth peer name far1 netns "$far_ns" &&
		ip -n "$weir_ns" address add 10.99.0.1/24 dev far0 &&
		ip -n "$weir_ns" address add fd99::1/64 dev far0 nodad &&
		ip -n "$weir_ns" link set far0 up &&
		ip -n "$far_ns" address add $far4/24 dev far1 &&
		ip -n "$far_ns" address add $far6/64 dev far1 nodad &&
		ip -n "$far_ns" link set far1 up &&
		ip -n "$far_ns" route add default via 10.99.0.1 &&
		ip -n "$far_ns" route add default via fd99::1 &&
		in_ns sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
			echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# far_clean_up: instead of weir_clean_up in the trap of who has made it
far_clean_up() {
	[ ! -e "/run/netns/$far_ns" ] || ip netns del "$far_ns"
	weir_clean_up
}

# ---- tests ----

weir_checks=0
weir_failed=0

# check NAME COMMAND...: a line that says whether it succeeded; its output if not
check() {
	local name=$1 out

	shift
	weir_checks=$((weir_checks + 1))
	if out=$("$@" 2>&1); then
		echo "ok   $name"
	else
		printf 'FAIL %s: %s\n%s\n' "$name" "$*" "$(tail -n 20 <<<"$out")"
		weir_failed=$((weir_failed + 1))
	fi
}

# test_begin: for a functional test that needs root; meson takes 77 as "skipped"
test_begin() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "skipped: needs root, for network namespaces"
		exit 77
	fi
	trap weir_clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	weir_tmp=$(mktemp -d)
	ns_make || exit 1
}

# test_start PROGRAM ARG...: with the quickstart's configuration, and the kernel's side set up
test_start() {
	weir_start "$weir_tmp/log" "$weir_build/app/$1" "$weir_source/config/quickstart.conf" "${@:2}" &&
		kernel_up || exit 1
}

gave_all_back() {
	cat "$weir_tmp/log"
	grep -q ': at the end 0 sockets, 0 mbufs more than at the start, packets all accounted for$' \
		"$weir_tmp/log" && ! grep -qE ' left at the end' "$weir_tmp/log"
}

# test_stop: end the program; it must have given everything back
test_stop() {
	weir_stop # not in a subshell, whose child it is not
	check "ends well" [ $? -eq 0 ]
	check "every mbuf and socket is back, every packet accounted for" gave_all_back
	grep -E '^weir-[a-z]+: [0-9]+ connections' "$weir_tmp/log"
}

# test_end: the total, and the exit status
test_end() {
	echo "$weir_checks checks, $weir_failed failed"
	[ $weir_failed -eq 0 ]
	exit
}
