# Everything that CI runs is a target here. "make" lists them.
include scripts/flags
export CGO_ENABLED = 0

BUILD    := build
# -buildvcs: the version comes from the checkout.
GOBUILD  := go build -trimpath -buildvcs=auto -ldflags '-s -w'
FUZZTIME := 30s
ROUNDS   := 500
KILLS    := 1000
SERVERS  := 200
DAYS     := 365
SOAK     := 10m
SEQUENCES := 2000
SWAPS    := 2000
PKIS     := 2000

.PHONY: help build pkcs11 test race lint docs fuzz bench model paths crash year backup-crash enroll-crash fleet torn swaps soak mutants quickstart beside check cross packages packages-test image image-test release-key setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the programs, static and stripped, in build/
	$(GOBUILD) -o $(BUILD)/ ./cmd/kedge ./cmd/kedge-ca ./cmd/kedge-emulator

pkcs11: ## kedge-pkcs11, which loads PKCS#11 modules, in build/ (needs a C compiler; not static)
	CGO_ENABLED=1 $(GOBUILD) -o $(BUILD)/ ./cmd/kedge-pkcs11

setup: ## install what the tests run against (Debian packages, npm modules)
	scripts/setup

test: setup ## every test, against the real peers
	go test -timeout 20m ./...

race: ## every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 go test -race -timeout 20m ./... # each program the tests run would sleep a second

lint: ## gofmt, go vet, staticcheck, revive
	scripts/lint

docs: ## write the generated part of docs/
	go test ./examples -run '^TestGenerated$$' -count 1 -update

fuzz: ## each fuzz target for FUZZTIME (30s)
	scripts/fuzz $(FUZZTIME)

bench: build ## compare with the least programs that do the same
	scripts/bench/run

model: setup ## SEQUENCES (2000) of what a CA and its hosts do, compared step by step with references
	KEDGE_TEST_SEQUENCES=$(SEQUENCES) go test ./ca/issuance ./ca/enroll -run '^TestModel$$' -count 1 -parallel 8 -timeout 1h

paths: setup ## PKIS (2000) at random: the path to the CA compared with openssl and a reference
	KEDGE_TEST_PKIS=$(PKIS) go test ./signer -run '^TestPathFinder_random$$' -count 1 -timeout 1h

year: HOSTS := 1000
year: build ## let a fleet of HOSTS (1000) renew for DAYS (365), in scaled time, and archive its ledger, with each kind of it
	scripts/year.sh $(HOSTS) $(DAYS)

crash: build ## kill -9 kedge-ca ROUNDS (500) times at all that it writes, with each kind of ledger
	scripts/crash.sh $(ROUNDS)

backup-crash: ROUNDS := 20
backup-crash: ## kill -9 kedge-ca backup in ROUNDS (20) rounds while certificates are issued, and restore what is whole
	scripts/backup-crash.sh $(ROUNDS)

enroll-crash: build ## kill -9 kedge in ROUNDS (500) rounds of twelve runs, and kedge-ca serve SERVERS (200) times
	KEDGE_TEST_KILLS=$(ROUNDS) go test ./cmd/kedge -run '^TestEnroll_killed$$' -count 1 -v -timeout 1h
	scripts/enroll-crash.sh $(SERVERS)

fleet: HOSTS := 100000
fleet: build ## HOSTS (100000) simulated hosts that are due at once, at servers and databases that fail; an outage of 8 h; a year
	scripts/fleet.sh $(HOSTS)

torn: build ## kill -9 kedge update KILLS (1000) times while others read the credentials file
	scripts/torn.sh $(KILLS)

swaps: ## write SWAPS (2000) times, as root, to each kind of path that another user swaps meanwhile
	KEDGE_TEST_SWAPS=$(SWAPS) go test ./cmd/kedge -run '^TestSwaps$$' -count 1 -v -timeout 1h

soak: build ## kedge serve for SOAK (10m) under load, with faults and changing certificates
	scripts/soak.sh $(SOAK)

mutants: ## turn each safety rule off, or those of MUTANTS, and see that its test fails
	scripts/mutants/run $(MUTANTS)

quickstart: build ## from nothing to an AWS identity, without an AWS account
	scripts/quickstart

beside: build pkcs11 ## try the official helper and kedge beside each other (installs the helper as a Go module; not in CI)
	scripts/beside

cross: ## build for the other systems
	scripts/cross

packages: ## deb, rpm, apk, archives, SBOMs and their sums in build/packages/out, of the commit that is checked out; TARGETS: all
	scripts/packages/build $(TARGETS)

packages-test: setup ## install, upgrade, remove and purge what make packages made, in scratch roots; try install.sh (needs root)
	scripts/packages/test

image: ## images of kedge and kedge-ca for Linux, as OCI layouts in build/images, without a daemon; ARCHS: amd64 arm64
	scripts/packages/images $(ARCHS)

image-test: setup ## read, copy, unpack and run what make image made (needs root)
	scripts/packages/images-test

release-key: ## make the key that signs releases, in the file KEY, with a passphrase that it asks for
	scripts/release-key "$(KEY)"

check: lint test race cross ## what CI runs

clean: ## remove what was built
	rm -rf $(BUILD)
