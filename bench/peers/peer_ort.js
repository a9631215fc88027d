#!/usr/bin/env node
// The ONNX Runtime side of compare.py: the same lines as peer_cleave.cpp.
//
//   {"load": FILE, "threads": N, "inputs": [{name, dtype, shape, file}]}  -> {"ms": to the first answer}
//   {"run": K}            -> {"ms": [K times]}
//   {"save": FOLDER}      writes the outputs and FOLDER/outputs.json
//   {"memory": true}      -> {"peak_kb", "before_load_kb"}
//
// CLEAVE_ORT: the folder with node_modules/onnxruntime-node.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require(path.join(process.env.CLEAVE_ORT, 'node_modules', 'onnxruntime-node'));

const ARRAYS = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array,
  uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, bool: Uint8Array,
};
let session, feeds, beforeLoadKb = 0;

const msSince = start => Number(process.hrtime.bigint() - start) / 1e6;

function statusKb(key) {
  const line = fs.readFileSync('/proc/self/status', 'utf8').split('\n').find(text => text.startsWith(key + ':'));
  return parseInt(line.slice(key.length + 1), 10);
}

function readInput({name, dtype, shape, file}) {
  const bytes = fs.readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return [name, new ort.Tensor(dtype, new ARRAYS[dtype](buffer), shape)];
}

async function load(request) {
  feeds = Object.fromEntries(request.inputs.map(readInput));
  beforeLoadKb = statusKb('VmRSS');
  const start = process.hrtime.bigint();
  session = await ort.InferenceSession.create(request.load, {
    executionProviders: ['cpu'], intraOpNumThreads: request.threads, interOpNumThreads: 1,
    graphOptimizationLevel: 'all', logSeverityLevel: 3,
  });
  await session.run(feeds);
  return {ms: msSince(start)};
}

async function run(count) {
  const ms = [];
  for (let i = 0; i < count; ++i) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    ms.push(msSince(start));
  }
  return {ms};
}

async function save(folder) {
  const results = await session.run(feeds);
  const outputs = session.outputNames.map((name, i) => {
    const {data, type, dims} = results[name];
    const file = path.join(folder, `output${i}.bin`);
    fs.writeFileSync(file, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    return {name, dtype: type, shape: dims, file};
  });
  fs.writeFileSync(path.join(folder, 'outputs.json'), JSON.stringify(outputs));
  return {outputs: outputs.length};
}

async function answer(request) {
  if (request.load) return load(request);
  if (request.run) return run(request.run);
  if (request.save) return save(request.save);
  if (request.memory) return {peak_kb: statusKb('VmHWM'), before_load_kb: beforeLoadKb};
  return {failed: 'unknown request'};
}

(async () => {
  for await (const line of readline.createInterface({input: process.stdin})) {
    let reply;
    try {
      reply = await answer(JSON.parse(line));
    } catch (error) {
      reply = {failed: String(error && error.message || error)};
    }
    process.stdout.write(JSON.stringify(reply) + '\n');
  }
})();
