# Every target works in a fresh clone with nothing but Go, gcc and make. "make" lists them.
SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help
.PHONY: help build test race lint generate verify demo controlplane bench bench-cluster clean

BENCH ?= .

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Compile everything; programs go into bin/
	go build ./...
	go build -o bin/ ./examples/crontab ./hack/controlplane/cmd/controlplane

test: controlplane ## Run all tests, also those against a real API server
	go test ./...

race: controlplane ## Run all tests under the race detector
	go test -race ./...

lint: ## Run the linters (the first time they are compiled: minutes)
	hack/lint.sh

generate: ## Generate deep copies, clients, listers, informers and CRDs from pkg/apis
	hack/generate.sh

verify: ## Check that generated code, formatting and go.mod files are up to date
	hack/verify.sh

demo: ## Run the CronTab controller on a real API server; KUBECONFIG says which, else one is started
	go build -o bin/demo ./examples/crontab/demo
	bin/demo

controlplane: ## Build etcd and the Kubernetes control plane (about 6 minutes, then cached for all clones)
	go build -o bin/controlplane ./hack/controlplane/cmd/controlplane
	bin/controlplane build

bench: ## Run the benchmarks beside client-go, show ratios and goals; BENCH=Queue picks, WRITE=1 updates docs/benchmarks.md
	cd hack/bench && go run ./cmd/ratios -bench '$(BENCH)' $(if $(WRITE),-write ../../docs)

bench-cluster: controlplane ## Measure sync and whole controllers on a real API server beside client-go; BENCH and WRITE as with bench
	cd hack/bench && go run ./cmd/cluster -bench '$(BENCH)' $(if $(WRITE),-write ../../docs)

clean: ## Remove what the build left in the checkout; caches outside stay
	rm -rf bin
