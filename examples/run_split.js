#!/usr/bin/env node
// Runs a bundle with ONNX Runtime and nothing of cleave: edge part -> bytes -> cloud part.
//   node run_split.js BUNDLE INPUT.npy        (npm install onnxruntime-node first; CLEAVE_ORT may name its folder)
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require(path.resolve(process.env.CLEAVE_ORT || '.', 'node_modules', 'onnxruntime-node'));

// A float32 .npy file as a tensor.
function readNpy(file) {
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(',').map(s => s.trim()).filter(Boolean).map(Number);
  return new ort.Tensor('float32', new Float32Array(new Uint8Array(bytes.subarray(start)).buffer), shape);
}

async function main(bundle, input) {
  const manifest = JSON.parse(fs.readFileSync(path.join(bundle, 'manifest.json'), 'utf8'));
  const edge = await ort.InferenceSession.create(path.join(bundle, 'edge.onnx'));
  const sent = await edge.run({[edge.inputNames[0]]: readNpy(input)});
  let bytes = 0;
  const feeds = {};
  for (const {port} of manifest.wire) {
    feeds[port] = sent[port];
    bytes += sent[port].data.byteLength;
  }
  let result = sent;
  if (manifest.cloud !== null) {
    const cloud = await ort.InferenceSession.create(path.join(bundle, 'cloud.onnx'));
    result = await cloud.run(feeds);
  }
  const [name, scores] = Object.entries(result)[0];
  const best = scores.data.reduce((top, value, i) => (value > scores.data[top] ? i : top), 0);
  console.log(`${bytes} bytes crossed; ${name}: class ${best}`);
}

main(process.argv[2], process.argv[3]).catch(error => { console.error(String(error)); process.exit(1); });
