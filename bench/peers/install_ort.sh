#!/usr/bin/env bash
# Installs ONNX Runtime, the peer, into a folder: install_ort.sh build/ort
set -euo pipefail
folder=${1:?usage: install_ort.sh FOLDER}
mkdir -p "$folder"
cd "$folder"
[ -d node_modules/onnxruntime-node ] && exit 0
npm install --ignore-scripts --omit-lockfile-registry-resolved --no-package-lock --no-audit --no-fund \
  onnxruntime-node@1.30.0
