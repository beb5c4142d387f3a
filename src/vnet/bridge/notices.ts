/** What the kernel's side tells: counts of occasions, and the occasions themselves as far as there is room. */
import { type BpfMap, possibleCpus, RingReader } from '../../bpf/index.ts';
import { formatMac } from '../../flow/index.ts';
import { Notice, NoticeKind } from '../gen/bridge.ts';

/** An occasion. */
export interface Occasion {
  readonly kind: keyof typeof NoticeKind;
  readonly vni: number;
  readonly mac: string;
  /** Numbers of places; `former` may be 0. */
  readonly place: number;
  readonly former: number;
}

const NAMES = new Map<number, keyof typeof NoticeKind>(
  Object.entries(NoticeKind).map(([name, number]) => [number, name as keyof typeof NoticeKind]),
);

/** Reads the ring that a bridge tells by. */
export class Notices implements Disposable {
  readonly #counts: BpfMap;
  readonly #ring: RingReader;

  constructor(counts: BpfMap, ring: BpfMap) {
    this.#counts = counts;
    this.#ring = RingReader.open(ring);
  }

  /** What came since the last time, in order. */
  drain(visit: (occasion: Occasion) => void): void {
    this.#ring.drain((offset) => {
      const { bytes } = this.#ring;
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset, Notice.size);
      const { offsets } = Notice;
      const kind = NAMES.get(view.getUint32(offsets.kind, true));
      if (kind === undefined) return;
      visit({
        kind,
        vni: view.getUint32(offsets.vni, true),
        mac: formatMac(bytes, offset + offsets.mac),
        place: view.getUint32(offsets.place, true),
        former: view.getUint32(offsets.former, true),
      });
    });
  }

  /** How often each was, since the bridge was set up. */
  counts(): Readonly<Record<Exclude<keyof typeof NoticeKind, 'NOTICE_COUNT'>, number>> {
    const counts: Record<string, number> = {};
    for (const [number, name] of NAMES) {
      if (name === 'NOTICE_COUNT') continue;
      const value = this.#counts.lookup(new Uint8Array(Uint32Array.of(number).buffer))!;
      const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
      let sum = 0n;
      for (let cpu = 0; cpu < possibleCpus(); cpu++)
        sum += view.getBigUint64(cpu * this.#counts.valueStride, true);
      counts[name] = Number(sum);
    }
    return counts as Record<Exclude<keyof typeof NoticeKind, 'NOTICE_COUNT'>, number>;
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
  }
}
