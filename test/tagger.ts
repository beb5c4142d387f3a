/** Behind the meter at NAMESPACE INTERFACE: sends with a VLAN tag beside the packet, takes it from what is received, until stdin ends. */
import { execFileSync } from 'node:child_process';
import { attachTc, setNetworkNamespace } from '../src/bpf/index.ts';
import { openProbe } from '../src/bpf/testdata/probe.ts';

const [namespace, name, number] = process.argv.slice(2);
setNetworkNamespace(`/run/netns/${namespace}`);
const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', name!], { encoding: 'utf8' })) as [
  { ifindex: number },
];
using object = openProbe();
object.setConstant('limit', Number(number));
object.load();
const place = { ifindex: link.ifindex, mode: 'tcx', position: 'last' } as const;
using _egress = attachTc({ ...place, program: object.program('tag'), direction: 'egress' });
using _ingress = attachTc({ ...place, program: object.program('untag'), direction: 'ingress' });
process.stdout.write('attached\n');
for await (const _ of process.stdin);
