# Everything a developer does with this repository. Needs Node 20 or later, npm and make.
# Each target sets up what it needs; `make` alone lists them.

BIN := node_modules/.bin
JEST := NODE_OPTIONS=--experimental-vm-modules $(BIN)/jest
COUNTED := --reporters=default --reporters=./dist/fixtures/count-reporter.js
INSTALLED := node_modules/.package-lock.json

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup build check check-types check-lint check-docs test demo matrix bless fixtures docs bench bench-quick clean

help: ## list the targets
	@echo 'make <target>, where target is one of:'
	@sed -n 's/^\([a-z-]*\):[^#]*## /  \1\t/p' Makefile | expand -t 16

setup: $(INSTALLED) ## install the npm packages, once

$(INSTALLED): package.json package-lock.json
	@echo 'Installing npm packages ...'
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

build: setup ## compile TypeScript to dist/
	@$(BIN)/tsc -b
	@chmod +x dist/compiler/cli/*.js

check: check-types check-lint check-docs ## types, layers, lint, format, stale documentation

# Project references make an import that breaks the layers a type error.
check-types: build
	@echo 'types and layers: ok'

# Lint also keeps binaryen to the one file that may import it.
check-lint: setup
	@$(BIN)/biome check --error-on-warnings .
	@echo 'lint and format: ok'

check-docs: build
	@node dist/compiler/docs-generate.js --check
	@echo 'generated documentation: ok'

test: build ## run all tests; the last line counts them (TEST=pattern for some)
	@$(JEST) $(TEST) $(COUNTED)

demo: build ## compile a program, stop it in one process, continue it in another
	@node dist/fixtures/demo.js

matrix: build ## snapshots from each JavaScript runtime that npm has to each (installs them into .runtimes/)
	@node dist/fixtures/runtimes/run.js --install

bless: build ## accept what the golden tests find as what they expect
	@MVVMC_BLESS=1 $(JEST) golden $(COUNTED)
	@git --no-pager diff --stat -- '*.wat' '*.txt' '*.golden' || true

fixtures: setup ## rebuild the fixture programs from source (needs a C compiler for WebAssembly)
	@$(MAKE) -C fixtures/programs
	@$(MAKE) -C fixtures/bench/programs
	@$(MAKE) -C fixtures/sockets
	@$(MAKE) -C fixtures/deterministic

docs: build ## write the generated pages in docs/
	@node dist/compiler/docs-generate.js

bench: build ## measure what stable points cost (ARGS=--help for what can be asked)
	@node dist/fixtures/bench/index.js $(ARGS)

bench-quick: build ## the same for some of the programs, in a few minutes
	@node dist/fixtures/bench/index.js --quick $(ARGS)

clean: ## remove what was built
	@rm -rf dist .demo
