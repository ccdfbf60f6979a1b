#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The tables of doc/options.md are those of lib/api. usage: options.sh PROGRAM SOURCE_DIR [--write]
set -u
program=$1
page=$2/doc/options.md
begin='<!-- begin: made by options.sh -->'
end='<!-- end -->'

made=$(mktemp)
trap 'rm -f "$made"' EXIT
{
	sed "/^$begin\$/q" "$page" # up to the mark, with it
	"$program" || exit 1
	sed -n "/^$end\$/,\$p" "$page"
} >"$made" || exit 1
if [ "${3-}" = --write ]; then
	cp "$made" "$page"
else
	diff -u "$page" "$made"
fi
