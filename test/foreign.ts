/** A program of someone else: attaches an own tcx program to both directions of NAMESPACE INTERFACE until stdin ends. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { attachTc, BpfObject, setNetworkNamespace } from '../src/bpf/index.ts';

const [namespace, name] = process.argv.slice(2);
setNetworkNamespace(`/run/netns/${namespace}`);
const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', name!], { encoding: 'utf8' })) as [
  { ifindex: number },
];
using object = BpfObject.openFile(fileURLToPath(new URL('../bpf/floor.bpf.o', import.meta.url)));
object.load();
const program = object.program('floor_empty');
using _ingress = attachTc({ program, ifindex: link.ifindex, direction: 'ingress', mode: 'tcx' });
using _egress = attachTc({ program, ifindex: link.ifindex, direction: 'egress', mode: 'tcx' });
process.stdout.write('attached\n');
for await (const _ of process.stdin);
