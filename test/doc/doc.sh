#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The programs shown in doc/*.md are those of app/: a line "<!-- program: FILE -->" stands before a
# code block that has the text of FILE, but for its licence line. usage: doc.sh SOURCE_DIR
set -u
cd "$1" || exit 1
status=0
programs=0
while IFS=: read -r page line file; do
	programs=$((programs + 1))
	sed -n "$((line + 1)),\$p" "$page" | sed -n '/^```c$/,/^```$/p' | sed '1d; /^```$/,$d' |
		diff -u <(grep -v SPDX-License-Identifier "$file") - || status=1
done < <(grep -n '^<!-- program: ' doc/*.md | sed 's/<!-- program: //; s/ -->//')
echo "$programs programs"
[ $programs -gt 0 ] || status=1
exit $status
