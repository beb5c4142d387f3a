/** The truth of our own captures: from tshark, and from the packet builder's model where tshark cannot know. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Flow, flowText } from './flow-words.ts';
import { modelFlow } from './model-flow.ts';
import type { OwnCapture } from './own-captures.ts';
import { dissectFile, tsharkVersion } from './tshark.ts';
import { flowByTshark, type ReadFlow } from './tshark-flow.ts';
import { tsharkLimit } from './tshark-limits.ts';

/** Where the captures stand, and their truths beside them. */
export const CAPTURES: string = fileURLToPath(new URL('captures', import.meta.url));

/** A flow and what of the capture belongs to it. */
export interface TrueFlow extends Flow {
  readonly packets: number;
  /** Of whole frames on the wire, cut ones too. */
  readonly octets: number;
  /** Where the flow is not by tshark: why. */
  readonly byModel?: string;
}

/** What stands beside a capture. */
export interface OwnTruth {
  readonly capture: string;
  readonly origin: string;
  /** In the order of their first packets. */
  readonly flows: readonly TrueFlow[];
  /** Packets that are in no flow, because a header is cut or lies: what the model says of them. */
  readonly ledger: readonly { readonly reason: string; readonly packets: number; readonly octets: number }[];
}

/** The committed truth of a capture, by its name. */
export function readTruth(name: string): OwnTruth {
  return JSON.parse(readFileSync(truthPath(name), 'utf8')) as OwnTruth;
}

/** Where it stands. */
export function truthPath(name: string): string {
  return join(CAPTURES, `${name}.json`);
}

/** What tshark says of a committed capture. */
export function truthOf({ name, packets, options }: OwnCapture): OwnTruth {
  const path = join(CAPTURES, name);
  const frames = dissectFile(
    path,
    packets.map((each) => each.packet),
  );
  const flows = new Map<string, TrueFlow>();
  const ledger = new Map<string, OwnTruth['ledger'][number]>();
  const pieces = new Pieces();
  for (const [i, each] of packets.entries()) {
    const layers = frames[i]!;
    const octets = Number(layers.find((layer) => layer.name === 'frame')!.fields.get('frame.len')![0]);
    // Where a file keeps only the beginnings of packets, all headers are in them.
    const verdict = each.packet.model(options);
    if (!verdict.record) {
      const { reason } = verdict;
      ledger.set(reason, added(ledger.get(reason) ?? { reason, packets: 0, octets: 0 }, octets));
      continue;
    }
    const byModel = tsharkLimit(each.name);
    const flow = byModel
      ? modelFlow(verdict.record)
      : pieces.joined(flowByTshark(layers, { nvgre: options.nvgre === true }));
    const key = flowText(flow);
    flows.set(
      key,
      added(flows.get(key) ?? { ...flow, packets: 0, octets: 0, ...(byModel && { byModel }) }, octets),
    );
  }
  const origin = `tshark ${tsharkVersion()}, without reassembly; byModel and ledger: the packet builder's model`;
  return { capture: name, origin, flows: [...flows.values()], ledger: [...ledger.values()] };
}

function added<Sum extends { readonly packets: number; readonly octets: number }>(
  sum: Sum,
  octets: number,
): Sum {
  return { ...sum, packets: sum.packets + 1, octets: sum.octets + octets };
}

/** As text to commit: one flow a line. */
export function truthText({ capture, origin, flows, ledger }: OwnTruth): string {
  const lines = (all: readonly object[]): string =>
    all.length === 0 ? '[]' : `[\n${all.map((each) => `    ${JSON.stringify(each)}`).join(',\n')}\n  ]`;
  const head = `  "capture": ${JSON.stringify(capture)},\n  "origin": ${JSON.stringify(origin)}`;
  return `{\n${head},\n  "flows": ${lines(flows)},\n  "ledger": ${lines(ledger)}\n}\n`;
}

/** Later pieces have the ports of their first one, by the identification that tshark shows. */
class Pieces {
  readonly #firsts = new Map<string, Flow['inner']>();

  joined({ flow, piece }: ReadFlow): Flow {
    if (!piece || !flow.inner || flow.mark) return flow;
    const { source, destination, protocol } = flow.inner;
    const around = { ...flow, inner: { source, destination, protocol, sourcePort: 0, destinationPort: 0 } };
    const key = `${flowText(around)} ${piece.identification}`;
    if (!piece.isLater) this.#firsts.set(key, flow.inner);
    return piece.isLater ? { ...flow, inner: this.#firsts.get(key) ?? flow.inner } : flow;
  }
}
