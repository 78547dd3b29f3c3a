# mvvmc for make: how x.mvvm.wasm is made of x.wasm.
#
#     include node_modules/mvvmc/share/make/mvvmc.mk
#     all: bc.mvvm.wasm
#     bc.mvvm.wasm: MVVMC_FLAGS = --enable-loop-checkpoint
#
# MVVMC        the command; default: that of this package
# MVVMC_FLAGS  its options; default: none, which is the policy counter-loop

MVVMC_PACKAGE := $(patsubst %/share/make/mvvmc.mk,%,$(abspath $(lastword $(MAKEFILE_LIST))))
MVVMC ?= node $(MVVMC_PACKAGE)/dist/compiler/cli/mvvmc.js
MVVMC_FLAGS ?=

# Another version of the compiler makes another module.
%.mvvm.wasm: %.wasm $(MVVMC_PACKAGE)/package.json
	$(MVVMC) $(MVVMC_FLAGS) -o $@ $<
