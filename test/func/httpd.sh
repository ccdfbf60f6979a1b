#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weir-httpd with the kernel as the client: httpd.sh BUILD_DIR [MIB]
# MIB: how much goes each way over each IP version (1024)
set -u
weir_build=$1
mib=${2:-${WEIR_TEST_MIB:-1024}}
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

test_begin
root=$weir_tmp/root
mkdir -p "$root/sub"
test_start weir-httpd --root "$root"

# ---- single requests ----

echo "a text" >"$root/sub/f.txt"
ln -s /etc "$root/out"
ln -s /etc/passwd "$root/link"
echo x >"$root/.hidden"
mkfifo "$root/fifo"

status_is() { # STATUS CURL-ARG...
	[ "$(in_ns curl -s -m 20 -o /dev/null -w '%{http_code}' "${@:2}")" = "$1" ]
}

page_is_there() {
	in_ns curl -sf -m 20 "http://$1/" | grep -q '<h1>Weir</h1>'
}

for host in $weir4 "[$weir6]"; do
	check "the page at $host" page_is_there "$host"
	check "a file at $host" status_is 200 "http://$host/sub/f.txt"
	check "HEAD at $host" status_is 200 -I "http://$host/sub/f.txt"
	check "no such file at $host" status_is 404 "http://$host/none"
	check "PUT at $host" status_is 201 -T "$root/sub/f.txt" "http://$host/new"
	check "PUT again at $host" status_is 204 -T "$root/sub/f.txt" "http://$host/new"
	check "what was put at $host" cmp "$root/sub/f.txt" "$root/new"
	rm -f "$root/new"
done
for host in $weir4 $weir6; do
	check "requests by hand to $host" in_ns python3 "$weir_source/test/func/httpd_client.py" \
		"$host" "$root"
	rm -f "$root"/p?
done

# ---- many short connections ----

ab_without_error() {
	local out

	out=$(in_ns ab -q -s 60 -n 10000 -c 50 "http://$weir4/size/1K" 2>&1)
	echo "$out"
	grep -q '^Complete requests: *10000$' <<<"$out" && grep -q '^Failed requests: *0$' <<<"$out" &&
		! grep -q '^Non-2xx' <<<"$out"
}

wrk_without_error() {
	local out

	out=$(in_ns wrk -t 2 -c 64 -d 5s --timeout 20s "http://$weir4/size/10K" 2>&1)
	echo "$out"
	grep -q '^Requests/sec' <<<"$out" && ! grep -qE 'Socket errors|Non-2xx' <<<"$out"
}

check "10000 connections by ab without an error" ab_without_error
check "5 s of wrk without an error" wrk_without_error

# ---- large files ----

head -c "${mib}M" /dev/urandom >"$root/file"
sum=$(sha256sum <"$root/file")

down_is_equal() {
	[ "$(in_ns curl -sf "http://$1/file" | sha256sum)" = "$sum" ]
}

up_is_equal() {
	in_ns curl -sf -T "$root/file" "http://$1/up" && [ "$(sha256sum <"$root/up")" = "$sum" ]
}

for host in $weir4 "[$weir6]"; do
	check "$mib MiB down from $host, checksum equal" down_is_equal "$host"
	check "$mib MiB up to $host, checksum equal" up_is_equal "$host"
	rm -f "$root/up"
done

test_stop
test_end
