/** What a gateway's programs tell, in words. */
import { type BpfMap, RingReader } from '../bpf/index.ts';
import type { GatewayClient } from './gateway-config.ts';
import { indexKey, macOf } from './gateway-table.ts';
import { tagsOf, vidsText, vlanText } from './gateway-tags.ts';
import { Lapse, Telling, Told } from './gen/gateway.ts';

/** Takes what the kernel told out of its ring. */
export class GatewayTellings implements Disposable {
  readonly #ring: RingReader;
  readonly #lapses: BpfMap;
  readonly #known: bigint[];

  /** The maps must outlive it. */
  constructor(ring: BpfMap, lapses: BpfMap) {
    this.#ring = RingReader.open(ring);
    this.#lapses = lapses;
    this.#known = [this.#lapse(Lapse.UNTOLD), this.#lapse(Lapse.LOST_COPY)];
  }

  /** Tells all that came since it was asked last. @param clientOf what is known of a MAC address */
  drain(
    tell: (kind: string, words: string) => void,
    clientOf: (mac: string) => GatewayClient | undefined,
  ): void {
    const { bytes } = this.#ring;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const told: { kind: number; mac: string; former: bigint; tags: bigint }[] = [];
    this.#ring.drain((offset) => {
      told.push({
        kind: view.getUint32(offset + Told.offsets.kind, true),
        mac: macOf(bytes, offset + Told.offsets.mac),
        former: view.getBigUint64(offset + Told.offsets.former, true),
        tags: view.getBigUint64(offset + Told.offsets.tags, true),
      });
    });
    for (const { kind, mac, former, tags } of told) {
      const vlan = vlanText(tagsOf(tags) ?? []);
      const before = tagsOf(former);
      const was = before ? vlanText(before) : undefined;
      if (kind === Telling.TOLD_LEARNED) tell('learned', `Client ${mac} is on ${vlan}`);
      else if (kind === Telling.TOLD_MOVED) tell('moved', `Client ${mac} moved from ${was} to ${vlan}`);
      else if (kind === Telling.TOLD_MOVE_REFUSED)
        tell(
          'move-refused',
          `Client ${mac} moves too often: its frames of ${vlan} are dropped, it stays on ${was}`,
        );
      else
        tell(
          'vlan-not-allowed',
          `Frames of client ${mac} on ${vlan} are dropped: ${permission(clientOf(mac))}`,
        );
    }
    this.#tellLapses(tell);
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
  }

  #tellLapses(tell: (kind: string, words: string) => void): void {
    const untold = this.#since(Lapse.UNTOLD);
    if (untold > 0n) tell('untold', `${untold} things more happened than there was room to tell`);
    const lost = this.#since(Lapse.LOST_COPY);
    if (lost > 0n)
      tell('copies-lost', `${lost} copies of broadcasts of workers were lost: the trunk did not take them`);
  }

  #since(lapse: number): bigint {
    const now = this.#lapse(lapse);
    const since = now - this.#known[lapse]!;
    this.#known[lapse] = now;
    return since;
  }

  #lapse(lapse: number): bigint {
    return new BigUint64Array(this.#lapses.lookup(indexKey(lapse))!.buffer)[0]!;
  }
}

function permission(client: GatewayClient | undefined): string {
  if (client?.allowed) return `it may be on VLAN ${vidsText(client.allowed)}`;
  return client?.tags ? `it may be on ${vlanText(client.tags)}` : 'it is no client any more';
}
