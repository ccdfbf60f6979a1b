#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Prints a linker version script that exports the functions the given headers declare.
echo 'WEIR_0 {'
echo 'global:'
# A declaration starts a line; the types of callbacks are named behind a bracket.
grep -hE '^[a-z][a-z0-9_ ]* \**weir_[a-z0-9_]+\(' "$@" |
	sed -E 's/^[^(]*[ *](weir_[a-z0-9_]+)\(.*/\t\1;/' | sort -u
echo 'local:'
printf '\t*;\n};\n'
