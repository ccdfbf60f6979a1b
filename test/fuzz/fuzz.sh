#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Replay a corpus, then fuzz on from it: fuzz.sh TARGET CORPUS SECONDS [LIBFUZZER-OPTION...]
# An input that breaks something is left beside the target.
set -u
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
"$1" "${@:4}" -max_total_time="$3" -timeout=20 -rss_limit_mb=0 -print_final_stats=1 -verbosity=0 \
	-artifact_prefix="$1-" "$new" "$2"
