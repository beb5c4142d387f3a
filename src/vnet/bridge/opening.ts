/** What a bridge is opened with: the tunnel's device, and the constants of its programs. */
import { type BpfObject, kernelAtLeast } from '../../bpf/index.ts';
import type { BridgeConfiguration } from './configuration.ts';
import { attempt, type Link, readLinks } from './links.ts';
import { ensureTunnel, type TunnelSide } from './tunnel.ts';

/** Has the tunnel's device be there, if there are tunnels; `undo` takes it away when it was made now. */
export function tunnelDevice(
  configuration: BridgeConfiguration,
  {
    side,
    links,
    instance,
    undo,
  }: {
    readonly side: TunnelSide;
    readonly links: ReadonlyMap<string, Link>;
    readonly instance: string;
    readonly undo: DisposableStack;
  },
): Link | undefined {
  if (side.device === undefined) return undefined;
  const { device } = configuration.tunnel;
  const { isOurs } = ensureTunnel(configuration, { side, links, instance });
  if (isOurs && !links.has(device)) undo.defer(() => attempt('ip', 'link', 'del', device));
  return readLinks().get(device);
}

/** Sets what the programs are loaded with: it holds until the next start. */
export function setConstants(
  object: BpfObject,
  { mode, tunnel, ageing, capacity, moves, answerNeighbours }: BridgeConfiguration,
  { side, device }: { readonly side: TunnelSide; readonly device: Link | undefined },
): void {
  object.setMaxEntries('entries', capacity);
  object.setMaxEntries('neighbours', capacity);
  object.setConstant('ageing_ns', BigInt(ageing) * 1_000_000n);
  object.setConstant('moves_period_ns', BigInt(moves.period) * 1_000_000n);
  object.setConstant('moves_limit', moves.limit);
  object.setConstant('tunnel_ifindex', device?.ifindex ?? 0);
  object.setConstant('is_ipv6', side.own.family === 6 ? 1 : 0);
  object.setConstant('has_checksum', side.own.family === 6 && tunnel.kind === 'vxlan' ? 1 : 0);
  object.setConstant('learns_peers', mode === 'multicast' ? 1 : 0);
  object.setConstant('ttl', tunnel.ttl);
  object.setConstant('has_coarse_clock', kernelAtLeast('5.11') ? 1 : 0);
  object.setConstant('has_redirect_peer', kernelAtLeast('5.10') ? 1 : 0);
  object.setConstant('names_source', kernelAtLeast('6.0') ? 1 : 0);
  object.setConstant('own_address', side.own.words);
  object.setConstant('answers_neighbours', answerNeighbours ? 1 : 0);
}
