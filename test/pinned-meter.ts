/** A meter to be killed: NAME NAMESPACE [HOOK [INTERVAL_MS [INTERFACES]]]. A line per epoch; a line on standard input takes it. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MeterThread } from '../src/meter/index.ts';

const [name, namespace, hook = 'auto', intervalMs = '60000', interfaces = 'eth0'] = process.argv.slice(2);
const thread = await MeterThread.open(
  {
    interfaces: interfaces.split(','),
    intervalMs: Number(intervalMs),
    flowCapacity: 4096,
    hook: hook as 'auto',
    namespace: namespace!,
    pins: { name: name!, label: 'test', known: new Map() },
  },
  { problem: (error) => console.log(JSON.stringify({ problem: (error as Error & { code: string }).code })) },
);
const lines = createInterface({ input: process.stdin });
console.log(JSON.stringify({ agent: thread.agent }));
for await (const { agent, epoch, length, columns } of thread.batches({
  signal: new AbortController().signal,
})) {
  let packets = 0;
  for (let row = 0; row < length; row++)
    if (columns.protocol[row] === 17) packets += Number(columns.packets[row]!);
  console.log(JSON.stringify({ agent, epoch, packets }));
  await once(lines, 'line');
}
