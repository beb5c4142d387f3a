/** A program of someone else that runs first at NAMESPACE INTERFACE and drops what it receives above 500 octets, until stdin ends. */
import { execFileSync } from 'node:child_process';
import { attachTc, setNetworkNamespace } from '../src/bpf/index.ts';
import { openProbe } from '../src/bpf/testdata/probe.ts';

const TCX_DROP = 2;
const TCX_NEXT = 0xffff_ffff_ffff_ffffn;
const [namespace, name] = process.argv.slice(2);
setNetworkNamespace(`/run/netns/${namespace}`);
const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', name!], { encoding: 'utf8' })) as [
  { ifindex: number },
];
using object = openProbe();
object.setConstant('limit', 500);
object.setConstant('offset', TCX_DROP);
object.setConstant('wide', TCX_NEXT);
object.load();
using _first = attachTc({
  program: object.program('constants'),
  ifindex: link.ifindex,
  direction: 'ingress',
  mode: 'tcx',
  position: 'first',
});
process.stdout.write('attached\n');
for await (const _ of process.stdin);
