#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a reviewer should not have to look for: format, licence lines, headers that compile alone.
# usage: style.sh SOURCE_DIR

set -u
cd "$1" || exit 1
status=0

complain() {
	echo "$*" >&2
	status=1
}

# Tracked files, or all of them in a tree without git.
sources() {
	git ls-files "$@" 2>/dev/null || find . -path ./build -prune -o -type f -print | sed 's|^\./||'
}

mapfile -t c_files < <(sources '*.c' | grep '\.c$')
mapfile -t headers < <(sources '*.h' | grep '\.h$')
mapfile -t others < <(sources | grep -E '(\.sh|meson\.build|meson_options\.txt|\.conf|^quickstart|^run-tests)$')

for file in "${c_files[@]}" "${headers[@]}" "${others[@]}"; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' ||
		complain "$file: no SPDX line"
done

for file in "${c_files[@]}" "${headers[@]}"; do
	expand "$file" | awk -v file="$file" '
		length($0) > 100 { print file ":" NR ": longer than 100 columns"; bad = 1 }
		/ $/ { print file ":" NR ": blank at the end of the line"; bad = 1 }
		END { exit bad }' >&2 || status=1
done

if command -v clang-format >/dev/null; then
	clang-format --dry-run --Werror "${c_files[@]}" || status=1
else
	echo "clang-format is not installed: format not checked"
fi

# Lists of WEIR_STAT, WEIR_FATE are included several times with the macro defined: not alone.
includes=()
for dir in lib/* drivers/*; do
	[ -d "$dir" ] && includes+=("-I$dir")
done
for header in "${headers[@]}"; do
	case $header in
	lib/*_list.h | lib/*_stats.h) continue ;;
	lib/* | drivers/*) ;;
	*) continue ;;
	esac
	# shellcheck disable=SC2046
	cc -std=gnu11 -D_GNU_SOURCE -DALLOW_EXPERIMENTAL_API -Wall -Wextra -Wno-unused-parameter -Werror \
		"${includes[@]}" $(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g') \
		-fsyntax-only -x c "$header" || complain "$header: does not compile alone"
done

grep -nE 'TODO|FIXME' "${c_files[@]}" "${headers[@]}" && complain "unfinished work"
exit $status
