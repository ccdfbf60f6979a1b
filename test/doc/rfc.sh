#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Files, functions and tests that doc/rfc.md names are there: where a rule is and what proves it does
# not outlive a change of names. usage: rfc.sh SOURCE_DIR
set -u
cd "$1" || exit 1
page=doc/rfc.md
status=0
named=0

complain() {
	echo "$page: $*" >&2
	status=1
}

# One column of all tables: 4 is where a rule is, 5 its test.
column() {
	grep '^|' $page | sed 's/\\|//g' | cut -d'|' -f"$1" | tr -d '`'
}

# Lines "FILE NAME" for what stands as "FILE: NAME, NAME" there.
names_of() {
	column "$1" | grep -oP "$2: \w+(, \w+\b(?!:|\.[ch]))*" | sort -u |
		awk -F': ' '{ n = split($2, name, ", "); for (i = 1; i <= n; i++) print $1, name[i] }'
}

declare -A path
while read -r file; do
	path[${file##*/}]+=" $file"
done < <(find lib drivers app test -name '*.[ch]')

while read -r file; do
	[ -n "${path[$file]-}" ] || complain "no file $file"
done < <(column 4 | grep -oE '[a-z0-9_]+\.[ch]\b' | sort -u)

while read -r file; do
	[ -n "${path[$file.c]-}" ] || complain "no test file $file"
done < <(column 5 | grep -oE '\btest_[a-z0-9_]+' | sort -u)

while read -r file name; do
	named=$((named + 1))
	# shellcheck disable=SC2086
	grep -qw "$name" ${path[$file]-/dev/null} || complain "no $name in $file"
done < <(names_of 4 '[a-z0-9_]+\.[ch]')

while read -r file name; do
	named=$((named + 1))
	# shellcheck disable=SC2086
	grep -q "UNIT($name)" ${path[$file.c]-/dev/null} || complain "no test $name in $file"
done < <(names_of 5 'test_[a-z0-9_]+')

echo "$named functions and tests"
[ $named -gt 0 ] || status=1
exit $status
