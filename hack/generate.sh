#!/usr/bin/env bash
# Regenerates what follows from the types in pkg/apis: deep copies beside them, everything else in pkg/generated.
# The generators are pinned in hack/tools/codegen and built by the go command; nothing is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export GOWORK=off

module=github.com/sluice-k8s/sluice
types=(./pkg/apis/stable/v1)
groups=(stable/v1) # the same, as client-gen wants it

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
out=$tmp/generated # replaces pkg/generated at the end, so that a failure leaves it as it was

tool() { go tool -modfile=hack/tools/codegen/go.mod "$@"; }

generator() { # NAME ARGS…: one of code-generator
	echo "generate: $1" >&2
	tool "$1" --go-header-file hack/boilerplate.go.txt "${@:2}"
}

into() { # DIR: where to write, and the import path that it will have
	printf '%s\n' --output-dir "$out/$1" --output-pkg "$module/pkg/generated/$1"
}

generator deepcopy-gen --output-file zz_generated.deepcopy.go "${types[@]}"

echo "generate: controller-gen" >&2
tool controller-gen crd "${types[@]/#/paths=}" output:crd:dir="$out/crds"
go -C hack/tools/codegen run ./crdschema "$module/pkg/apis" "$out"/crds/*.yaml >"$tmp/schema.json"

# The schema lets the fake clientset do server-side apply.
generator applyconfiguration-gen $(into applyconfiguration) --openapi-schema "$tmp/schema.json" \
	--external-applyconfigurations k8s.io/api/core/v1.ObjectReference:k8s.io/client-go/applyconfigurations/core/v1 \
	"${types[@]}"
generator client-gen $(into clientset) --clientset-name versioned \
	--apply-configuration-package "$module/pkg/generated/applyconfiguration" \
	--input-base "$module/pkg/apis" "${groups[@]/#/--input=}"
generator lister-gen $(into listers) "${types[@]}"
generator informer-gen $(into informers) \
	--versioned-clientset-package "$module/pkg/generated/clientset/versioned" \
	--listers-package "$module/pkg/generated/listers" "${types[@]}"

rm -rf pkg/generated
cp -R "$out" pkg/generated

echo "generate: docs/protocol.md" >&2
mkdir -p docs
go run ./pkg/cache/internal/protocol/table >docs/protocol.md
