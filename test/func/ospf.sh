#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Hellos with an OSPF router, Debian's bird: ospf.sh BUILD_DIR
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

bird_pid=
export PATH=$PATH:/usr/sbin:/sbin
command -v bird >/dev/null || { echo "skipped: bird2 is not installed"; exit 77; }

# In the foreground (-f), with all its files here, and without the kernel's routes.
bird_start() {
	cat >"$weir_tmp/bird.conf" <<-END
		log stderr all;
		router id 10.77.9.9;
		protocol device { }
		protocol ospf v2 test {
			ipv4 { import none; export none; };
			area 0 {
				interface "$weir_iface" { type broadcast; hello 1; dead count 4; priority 1; };
			};
		}
	END
	ip netns exec "$weir_ns" bird -f -c "$weir_tmp/bird.conf" -s "$weir_tmp/bird.ctl" \
		-P "$weir_tmp/bird.pid" >"$weir_tmp/bird.log" 2>&1 &
	bird_pid=$!
	wait_for 20 test -S "$weir_tmp/bird.ctl"
}

bird_stop() {
	[ -z "$bird_pid" ] || { kill -TERM $bird_pid 2>/dev/null; wait $bird_pid; }
	bird_pid=
}

# The router's own view of us, by our identifier
bird_sees() {
	birdc -s "$weir_tmp/bird.ctl" show ospf neighbors | tee "$weir_tmp/seen" |
		grep -E "^10\.77\.8\.8[[:space:]].*[[:space:]]($1)/" || { cat "$weir_tmp/seen"; return 1; }
}

said() {
	cat "$weir_tmp/log"
	grep -qxE -- "$1" "$weir_tmp/log"
}

# clean_up: the router first, or it would hold the namespace
clean_up() {
	bird_stop
	weir_clean_up
}

# speak ARG...: until bird and we list each other
speak() {
	weir_start "$weir_tmp/log" "$weir_build/app/weir-ospf-hello" \
		"$weir_source/config/quickstart.conf" -r 10.77.8.8 "$@" && kernel_up
}

test_begin
trap clean_up EXIT

speak -i 1 -d 4 || exit 1
bird_start || exit 1
check "it has heard us, and we have heard it" wait_for 60 bird_sees '2-Way|ExStart'
check "and know that it has" wait_for 60 said "neighbour 10\.77\.9\.9 at $weir_kernel4: 2-Way"
bird_stop
check "its silence is noticed" wait_for 60 said "neighbour 10\.77\.9\.9 at $weir_kernel4: Down"
test_stop
check "nobody is left" said "weir-ospf-hello: 0 neighbours"

speak -i 1 -d 4 -n 1 || exit 1
bird_start || exit 1
check "ends when both list each other" wait_for 60 is_gone "$weir_pid"
weir_stop
check "and well" [ $? -eq 0 ]
check "one neighbour" said "weir-ospf-hello: 1 neighbours"
check "every mbuf and socket is back, every packet accounted for" gave_all_back
test_end
