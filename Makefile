# Makefile - the few words a contributor has to know; CMake does the work, in build/.

PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)

.PHONY: all demo check check-release bench install deb clean

all:
	tools/install-deps
	cmake -S . -B build
	cmake --build build -j$(JOBS)

demo: all       ## build and run the examples
	tools/demo build/examples-c

check:          ## every test, on every build; the last line says "N passed, N failed"
	@tools/install-deps tests
	@tools/check

check-release: all ## what a release needs besides: the ABI, the manual, the site, the Debian packages
	@tools/install-deps release
	@tools/check-release

bench: all      ## rondo and its peers on the same work
	bench/run

install:        ## as in: make install PREFIX=/usr; DESTDIR is honoured
	cmake -S . -B build -DCMAKE_INSTALL_PREFIX='$(PREFIX)'
	cmake --build build -j$(JOBS)
	cmake --install build

deb:            ## the Debian packages, in build-deb/
	tools/install-deps deb
	tools/make-deb

clean:
	rm -rf build build-address build-deb build-thread .build
