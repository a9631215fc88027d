#!/usr/bin/env node
// The oracle: runs ONNX files in ONNX Runtime, one after the other.
//   CLEAVE_ORT=DIR node ort_run.js < FOLDERS     (DIR holds node_modules/onnxruntime-node)
// Each line of input names a FOLDER, each is answered by one line: "done", or what went wrong.
// FOLDER/request.json: {model, optimization, inputs: [{name, file, dtype, shape}]}; tensors are raw little-endian files
// in FOLDER. Writes FOLDER/response.json: [{name, file, dtype, shape}].
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require(path.join(process.env.CLEAVE_ORT, 'node_modules', 'onnxruntime-node'));

const ARRAYS = {
  float32: Float32Array, float64: Float64Array, int64: BigInt64Array, uint64: BigUint64Array, int32: Int32Array,
  uint32: Uint32Array, int16: Int16Array, uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

function readTensor(folder, {file, dtype, shape}) {
  const bytes = fs.readFileSync(path.join(folder, file));
  const copy = new Uint8Array(bytes).buffer;
  return new ort.Tensor(dtype, new ARRAYS[dtype](copy), shape);
}

function writeTensor(folder, name, tensor, index) {
  const file = `out${index}.bin`;
  const {buffer, byteOffset, byteLength} = tensor.data;
  fs.writeFileSync(path.join(folder, file), Buffer.from(buffer, byteOffset, byteLength));
  return {name, file, dtype: tensor.type, shape: tensor.dims};
}

async function run(folder) {
  const request = JSON.parse(fs.readFileSync(path.join(folder, 'request.json'), 'utf8'));
  const session = await ort.InferenceSession.create(request.model, {
    executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1,
    graphOptimizationLevel: request.optimization, logSeverityLevel: 3,
  });
  try {
    const feeds = {};
    for (const input of request.inputs) feeds[input.name] = readTensor(folder, input);
    const results = await session.run(feeds);
    const response = session.outputNames.map((name, i) => writeTensor(folder, name, results[name], i));
    fs.writeFileSync(path.join(folder, 'response.json'), JSON.stringify(response));
  } finally {
    await session.release();
  }
}

async function main() {
  for await (const folder of readline.createInterface({input: process.stdin})) {
    const answer = await run(folder).then(() => 'done', error => String(error).replaceAll('\n', ' '));
    process.stdout.write(answer + '\n');
  }
}

main();
