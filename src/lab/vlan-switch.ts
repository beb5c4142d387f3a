/**
 * The lab's switch with VLANs, as a program: `node vlan-switch.ts NAMESPACE TRUNK PORT=VID…`. Takes no packet of anyone else:
 * the namespace is the lab's. Ends on SIGTERM, and its programs with it.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { attachTc, BpfObject, setNetworkNamespace } from '../bpf/index.ts';
import { Tag } from './gen/vlan_switch.ts';

const OBJECT = fileURLToPath(new URL('../../bpf/lab/vlan_switch.bpf.o', import.meta.url));
/** IEEE 802.1Q, as the network has it. */
const PROTOCOL = [0x81, 0x00] as const;

const [namespace = '', trunk = '', ...words] = process.argv.slice(2);
setNetworkNamespace(`/run/netns/${namespace}`);
const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as {
  readonly ifname: string;
  readonly ifindex: number;
}[];

using object = BpfObject.openFile(OBJECT);
object.setConstant('trunk', numberOf(trunk));
object.load();
using attachments = new DisposableStack();
for (const word of words) {
  const [port = '', vid = ''] = word.split('=');
  const ifindex = numberOf(port);
  const tag = new Uint8Array(Tag.size);
  new DataView(tag.buffer).setUint16(Tag.offsets.tci, Number(vid), true);
  tag.set(PROTOCOL, Tag.offsets.protocol);
  object.map('ports').update(key(ifindex), tag);
  object.map('vlans').update(key(Number(vid)), key(ifindex));
  attachments.use(attachTc({ program: object.program('ts_tag'), ifindex, direction: 'ingress' }));
}
attachments.use(
  attachTc({ program: object.program('ts_untag'), ifindex: numberOf(trunk), direction: 'ingress' }),
);
process.stdout.write('at work\n');
const idle = setInterval(() => undefined, 60_000);
await once(process, 'SIGTERM');
clearInterval(idle);

function numberOf(name: string): number {
  const found = links.find(({ ifname }) => ifname === name);
  if (found === undefined)
    throw new RangeError(`Looking for interface ${name} in ${namespace}: there is none of that name`);
  return found.ifindex;
}

function key(number: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(number).buffer);
}
