#!/usr/bin/env bash
# Checks that generated code, formatting and go.mod files are what the tools would make of the checkout. It generates in
# a copy: the checkout stays as it is. Exits 1 if anything differs, after saying what, and what to do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export GOWORK=off

failed=0
fail() { # MESSAGE: complains, and goes on
	echo "verify: $1" >&2
	failed=1
}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

verify_generated() {
	cp -R go.mod go.sum hack pkg "$copy"
	if ! "$copy/hack/generate.sh" 2>"$copy/log"; then
		cat "$copy/log" >&2
		fail 'the generators failed'
	elif ! diff -ruN pkg "$copy/pkg" >&2; then
		fail 'generated code differs as shown above (- checkout, + generated): run "make generate" and commit the result'
	fi
}

verify_modules() {
	local file dir
	while read -r file; do
		dir=$(dirname "$file")
		go -C "$dir" mod tidy -diff >&2 || fail "$file is not tidy: run \"go -C $dir mod tidy\" and commit the result"
	done < <(find . -name go.mod -not -path '*/.*/*' | sort)
}

verify_format() {
	local files
	files=$(gofmt -l .)
	[ -z "$files" ] || fail "not formatted: run \"gofmt -w\" on"$'\n'"$files"
}

verify_format
verify_modules
verify_generated
exit "$failed"
