// Runs a model in ONNX Runtime on request, so that its calls can alternate with somebody else's:
//   node ort.mjs MODEL.onnx THREADS PREFIX
// Started where node_modules lies. Reads every input from PREFIX.NAME.bin, raw little-endian
// floats, writes every output likewise and prints "ready VERSION". Then a line "run SECONDS" on
// stdin is answered by a line "MIN MEDIAN": milliseconds of a call. It ends with its stdin.
// SPDX-License-Identifier: MIT
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const require = createRequire(process.cwd() + '/');
const ort = require('onnxruntime-node');
const [model, threads, prefix] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: +threads, interOpNumThreads: 1,
  graphOptimizationLevel: 'all', executionMode: 'sequential' });

function input({ name, shape }) {
  const { buffer, byteOffset, length } = readFileSync(`${prefix}.${name}.bin`);
  const data = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
  return new ort.Tensor('float32', data, shape);
}
const feeds = Object.fromEntries(session.inputMetadata.map(meta => [meta.name, input(meta)]));
// The results' memory is given, too: otherwise every call allocates it anew.
const size = shape => shape.reduce((a, b) => a * b, 1);
const fetches = Object.fromEntries(session.outputMetadata.map(({ name, shape }) =>
  [name, new ort.Tensor('float32', new Float32Array(size(shape)), shape)]));

await session.run(feeds, fetches);
for (const [name, { data }] of Object.entries(fetches))
  writeFileSync(`${prefix}.${name}.bin`, new Uint8Array(data.buffer));
console.log(`ready ${require('onnxruntime-node/package.json').version}`);

async function time(seconds) {
  const warm = performance.now() + 200 * seconds;
  do await session.run(feeds, fetches); while (performance.now() < warm);
  const samples = [], end = performance.now() + 1000 * seconds;
  while (samples.length < 3 || performance.now() < end) {
    const start = performance.now();
    await session.run(feeds, fetches);
    samples.push(performance.now() - start);
  }
  samples.sort((a, b) => a - b);
  return `${samples[0]} ${samples[samples.length >> 1]}`;
}
for await (const line of createInterface({ input: process.stdin }))
  if (line.startsWith('run ')) console.log(await time(+line.slice(4)));
