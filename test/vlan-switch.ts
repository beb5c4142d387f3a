/**
 * The switch of `vlan-switch.bpf.c` in NAMESPACE with OBJECT, trunk TRUNK, until stdin ends. A line of stdin sets a port:
 * `{"place": 0, "port": "p1", "tags": [{"vid": 5, "pcp": 0, "dei": false, "protocol": 33024}]}`; answered with a line.
 */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { attachTc, BpfObject, setNetworkNamespace } from '../src/bpf/index.ts';

interface Port {
  readonly place: number;
  readonly port: string;
  readonly tags: readonly { vid: number; pcp: number; dei: boolean; protocol: number }[];
}

const [namespace, path, trunk] = process.argv.slice(2) as [string, string, string];
setNetworkNamespace(`/run/netns/${namespace}`);
const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as {
  ifname: string;
  ifindex: number;
}[];
const numberOf = (name: string): number => links.find(({ ifname }) => ifname === name)!.ifindex;

using object = BpfObject.openFile(path);
object.setConstant('trunk', numberOf(trunk));
object.load();
using stack = new DisposableStack();
const at = (name: string, program: string): void => {
  const place = { ifindex: numberOf(name), direction: 'ingress', program: object.program(program) } as const;
  stack.use(attachTc(place));
};
at(trunk, 'at_trunk');
for (const { ifname } of links) if (/^p\d+$/.test(ifname)) at(ifname, 'at_port');

function set({ place, port, tags }: Port): void {
  const value = new Uint8Array(24);
  const view = new DataView(value.buffer);
  view.setUint32(0, numberOf(port), true);
  view.setUint32(4, tags.length, true);
  for (const [i, { vid, pcp, dei, protocol }] of tags.entries()) {
    view.setUint16(8 + 2 * i, (pcp << 13) | (dei ? 0x1000 : 0) | vid, true);
    view.setUint16(16 + 2 * i, protocol, false);
  }
  object.map('ports').update(new Uint8Array(Uint32Array.of(place).buffer), value);
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  set(JSON.parse(line) as Port);
  process.stdout.write('set\n');
}
