#!/usr/bin/env bash
# Installs what cleave needs, builds it, and runs the main job on the embedded example:
# calibrate -> search -> export -> verify -> evaluate. Root or sudo; Debian 12.
set -euo pipefail
cd "$(dirname "$0")"
. scripts/install_packages.sh

say "Debian packages"
install_packages "${BUILD_PACKAGES[@]}"

say "Build (build/release)"
cmake --preset release -DCLEAVE_TESTS=OFF -DCLEAVE_BENCH=OFF >/dev/null
cmake --build --preset release --target cleave

say "The main job on examples/ (a small residual network that reads 64x64 pictures of signs)"
cleave=build/release/bin/cleave
work=build/quickstart
mkdir -p "$work"
start=$SECONDS
run $cleave calibrate examples/model/signs.onnx --images examples/images/calibration --preprocess examples/preprocess.json \
  -o $work/calibration.json
run $cleave search examples/model/signs.onnx --calibration $work/calibration.json \
  --edge examples/devices/camera-mcu.json --cloud tpu-v1 --link 0.1mbps/20ms --max-distortion 0.1 \
  -o $work/plan.json
run $cleave export examples/model/signs.onnx --calibration $work/calibration.json --plan $work/plan.json -o $work/bundle
run $cleave verify $work/bundle --images examples/images/test --limit 50
run $cleave evaluate $work/bundle --images examples/images/test --labels examples/images/test_labels.txt \
  --reference examples/model/signs.onnx
say "done in $((SECONDS - start)) s; the two halves are $work/bundle/edge.onnx and $work/bundle/cloud.onnx"
