#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What meson installs is enough to build the README's example, which is app/mini_echo.c:
# install.sh BUILD_DIR. Needs no root, unless to run the example.
set -u
weir_build=$1
weir_source=$(dirname "$0")/../..
# shellcheck source=test/func/lib.sh
. "$weir_source/test/func/lib.sh"

trap weir_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
weir_tmp=$(mktemp -d)
dest=$weir_tmp/dest

# readme_code: the first block of C in the README
readme_code() {
	sed -n '/^```c$/,/^```$/p' "$weir_source/README.md" | grep -v '^```'
}

# The licence line is the file's own.
code_is_in_readme() {
	diff <(readme_code) <(grep -v '^/\* SPDX' "$weir_source/app/mini_echo.c")
}

install_it() {
	DESTDIR=$dest meson install -C "$weir_build" --no-rebuild
}

# A name at the start of a line is an inline function's.
exports_are_declared() {
	diff <(nm -D --defined-only "$dest$libdir/libweir.so" | sed -nE 's/.* T (weir_[a-z0-9_]+)@.*/\1/p' | sort) \
		<(cat "$dest"/*/*/include/weir/*.h | grep -v '^weir_' | grep -oE '\bweir_[a-z0-9_]+\(' | tr -d '(' | sort -u)
}

# A library with sanitizers wants a program with them.
compile() {
	local sanitize=()

	nm -D "$dest$libdir/libweir.so" | grep -q __asan_ && sanitize=(-fsanitize=address,undefined)
	# shellcheck disable=SC2046
	cc "${sanitize[@]}" -Wall -Werror -o "$weir_tmp/mini_echo$1" -x c <(readme_code) -x none \
		$(pkg-config "${@:2}" --cflags weir) $(pkg-config "${@:2}" --libs weir)
}

check "README.md shows app/mini_echo.c" code_is_in_readme
check "meson install" install_it
pc=$(find "$dest" -name weir.pc)
libdir=$(sed -n 's/^libdir=//p' "$pc" | sed "s|\${prefix}|$(sed -n 's/^prefix=//p' "$pc")|")
# The packages' own files stay where they are; only Weir's lie below $dest.
sed -i "s|^prefix=|prefix=$dest|" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
check "the library exports what the headers declare" exports_are_declared
check "the README's example compiles with pkg-config" compile ''

if [ "$(id -u)" -eq 0 ]; then
	export LD_LIBRARY_PATH=$dest$libdir
	ns_make || exit 1
	"${weir_tmp}/mini_echo" 2>/dev/null
	ip netns exec "$weir_ns" "$weir_tmp/mini_echo" "$weir_source/config/quickstart.conf" \
		>"$weir_tmp/log" 2>&1 &
	weir_pid=$!
	check "its interface appears" wait_for 30 ip -n "$weir_ns" link show $weir_iface
	kernel_up

	echoes() {
		[ "$(echo hello | in_ns timeout 5 nc -N $weir4 7)" = hello ]
	}
	check "it echoes" wait_for 20 echoes
fi
test_end
