/**
 * Looks at packets before anyone else does at OBJECT's program, attached first to DIRECTION of NAMESPACE INTERFACE, until
 * stdin ends; then prints how many there were, how many were not linear, and the shortest linear part.
 */
import { execFileSync } from 'node:child_process';
import { attachTc, BpfObject, setNetworkNamespace, type TcDirection } from '../src/bpf/index.ts';

const [path, namespace, name, direction] = process.argv.slice(2);
setNetworkNamespace(`/run/netns/${namespace}`);
const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', name!], { encoding: 'utf8' })) as [
  { ifindex: number },
];
using object = BpfObject.openFile(path!);
object.load();
using memory = object.map('.data').mmap();
using _look = attachTc({
  program: object.program('look'),
  ifindex: link.ifindex,
  direction: direction as TcDirection,
  position: 'first',
});
process.stdout.write('attached\n');
for await (const _ of process.stdin);
const [packets, scattered, shortest] = new BigUint64Array(
  memory.buffer,
  object.locate('linearity').offset,
  3,
);
process.stdout.write(
  `${JSON.stringify({ packets: Number(packets), scattered: Number(scattered), shortest: Number(shortest) })}\n`,
);
