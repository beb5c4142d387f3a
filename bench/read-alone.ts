/** Reads a capture into flow batches and does nothing with them: a process of its own, so that it can be bound to a core. */
import { CaptureSource } from '../src/replay/index.ts';

const [path] = process.argv.slice(2);
const source = new CaptureSource({ paths: [path!] });
const started = performance.now();
for await (const batch of source.batches({ signal: new AbortController().signal })) {
  if (batch.length === 0) throw new Error('no flow was found');
}
console.log(performance.now() - started);
