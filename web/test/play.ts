/** Work on the page without a meter: `node web/test/play.ts [lab|noisy|crowd|empty] [port]`, one epoch per second. */
import { startServer } from '../../src/serve/index.ts';
import { crowdStreams, labStreams, ScriptedSource } from './source.ts';

const [scene = 'noisy', port = '8088'] = process.argv.slice(2);
const scenes: Record<string, () => ReturnType<typeof labStreams>> = {
  lab: () => labStreams(),
  noisy: () => labStreams({ noisy: true }),
  crowd: () => crowdStreams(200, 5000),
  empty: () => [],
};
const streams = (scenes[scene] ?? scenes.lab!)();
const source = new ScriptedSource(streams);
let tick = 0;
const wander = (): void => {
  tick++;
  source.streams = streams.map((stream, i) => ({
    ...stream,
    octets: Math.round(stream.octets * (1 + 0.25 * Math.sin(tick / 7 + i))),
  }));
  source.step();
};
let startMs = Date.now() - 240_000;
source.nowMs = () => startMs;
for (let i = 0; i < 240; i++, startMs += 1000) wander();
source.nowMs = Date.now;
setInterval(wander, 1000);
const server = await startServer({
  listen: { host: '127.0.0.1', port: Number(port) },
  auth: { kind: 'none' },
  views: source,
  status: () => source.status(),
  pageDirectory: new URL('../dist', import.meta.url).pathname,
  log: console.error,
});
console.log(server.url);
