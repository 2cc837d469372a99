#!/usr/bin/env bash
# Lints every module of the checkout with the golangci-lint that hack/tools/lint pins, by .golangci.yaml. Arguments go
# to "golangci-lint run"; --fix repairs what can be repaired. The first run compiles the linter, which takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export GOWORK=off

root=$PWD
failed=0
while read -r file; do
	dir=$(dirname "$file")
	packages=$(go -C "$dir" list ./... 2>&1 | grep -v 'matched no packages' || true)
	[ -n "$packages" ] || continue # a module of nothing but tools
	echo "lint: $dir" >&2
	(cd "$dir" && go tool -modfile="$root/hack/tools/lint/go.mod" golangci-lint run "$@" ./...) || failed=1
done < <(find . -name go.mod -not -path '*/.*/*' | sort)
exit "$failed"
