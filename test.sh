#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all tests. ./test.sh [PRESET], PRESET: release (default, g++), asan (clang,
# ASan+UBSan), dev, clang, tidy; tsan (clang, ThreadSanitizer) builds and runs the tests of label `threads` only.
# Root or sudo; Debian 12. The tests' oracle, ONNX Runtime, comes from npm into build/ort.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/install_packages.sh
preset=${1:-release}

say "Debian packages"
install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
case "$preset" in
  asan | clang | tidy | tsan) install_packages clang-14 clang-tidy-14 libclang-rt-14-dev libomp-14-dev ;;
esac

say "ONNX Runtime for comparison (npm, build/ort)"
if [ ! -d build/ort/node_modules/onnxruntime-node ]; then
  if ! command -v node >/dev/null; then install_packages nodejs; fi
  if ! command -v npm >/dev/null; then install_packages npm; fi
  mkdir -p build/ort
  if ! (cd build/ort && npm install --loglevel=error --ignore-scripts --no-package-lock --no-audit --no-fund \
    onnxruntime-node@1.30.0); then
    echo "npm could not install onnxruntime-node: tests that compare with it will say SKIPPED" >&2
    [ -z "${CI:-}" ] || exit 1
  fi
fi

say "Build (build/$preset)"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"

say "Tests"
label=()
if [ "$preset" = tsan ]; then label=(--label-regex '^threads$'); fi
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "${label[@]}"
