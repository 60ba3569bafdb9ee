# `make run` and `make test` do all the set-up on a machine with Swift; both share one release build.

SWIFT_FLAGS = -c release --explicit-target-dependency-import-check error
LINKLOOM = .build/release/linkloom
QUICKSTART = pipelines/quickstart.yaml

.PHONY: run test sanitize build packages lint clean

run: build
	$(LINKLOOM) run $(QUICKSTART)
	$(LINKLOOM) export $(QUICKSTART) model --to out/quickstart --overwrite
	$(LINKLOOM) fill-mask out/quickstart "The herring is a silver [MASK] that lives in large shoals."
	@echo "The model is in out/quickstart: transformers.AutoModelForMaskedLM.from_pretrained('out/quickstart')"

test: run
	scripts/swift-test.sh --explicit-target-dependency-import-check error

# Kernels and trainer under the thread and the address sanitizer, each a build of its own.
sanitize: packages
	for sanitizer in thread address; do \
		TSAN_OPTIONS=suppressions=Tests/thread-sanitizer.supp \
		scripts/swift-test.sh --sanitize=$$sanitizer --scratch-path .build-$$sanitizer \
			--filter "KernelsTests|TransformerTests" || exit 1; \
	done

build: packages
	swift build $(SWIFT_FLAGS) --product linkloom

packages:
	@scripts/system-packages.sh

lint:
	swift format lint --strict --recursive Sources Tests Package.swift
	swift build --explicit-target-dependency-import-check error

clean:
	rm -rf .build .build-* .linkloom out
