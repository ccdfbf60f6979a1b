#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The sample of doc/trace.md is what weir-stat would show. usage: trace.sh PROGRAM SOURCE_DIR [--write]
set -u
program=$1
page=$2/doc/trace.md
command=$(grep -m 1 '^\$ weir-stat trace ' "$page")

made=$(mktemp)
trap 'rm -f "$made"' EXIT
printed=$("$program") || { echo "$printed"; exit 1; }
{
	sed '/^\$ weir-stat trace /q' "$page" # up to the command, with it
	sed -n 's/^sample: //p' <<<"$printed"
	sed '1,/^\$ weir-stat trace /d' "$page" | sed -n '/^```$/,$p'
} >"$made"
grep -qF "to ${command##* }: " "$made" || { echo "the sample is not of ${command##* }"; exit 1; }
if [ "${3-}" = --write ]; then
	cp "$made" "$page"
else
	diff -u "$page" "$made"
fi
