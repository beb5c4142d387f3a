/** What can be asked of a bridge while it runs: tunnel ends come and go. */
import { z } from 'zod';
import { VnetError } from '../error.ts';
import { parseTunnelEnd } from './address.ts';
import type { TunnelEnd } from './configuration.ts';
import type { Membership } from './membership.ts';

/** A tunnel end joins or leaves a segment, or all of them. */
export const PeerRequestSchema = z.strictObject({
  peer: z.enum(['add', 'remove']),
  address: z.string().max(64),
  vni: z.number().int().nullable(),
});
/** A validated request. */
export type PeerRequest = z.infer<typeof PeerRequestSchema>;

/** Checks a request and has the membership be so. @returns a line per segment that changes @throws VnetError `VNET_CHANGE` */
export function applyRequest(
  words: unknown,
  {
    membership,
    mode,
    vnis,
    own,
  }: {
    readonly membership: Membership;
    readonly mode: 'mesh' | 'multicast';
    readonly vnis: readonly number[];
    readonly own: TunnelEnd;
  },
): string[] {
  const parsed = PeerRequestSchema.safeParse(words);
  if (!parsed.success)
    throw new VnetError('VNET_CHANGE', 'a bridge can be asked to add or remove a peer, by address and VNI');
  const { peer, address, vni } = parsed.data;
  if (own.text === '')
    throw new VnetError(
      'VNET_CHANGE',
      'this bridge has no underlay, and so no peers; its configuration can name one',
    );
  if (mode !== 'mesh')
    throw new VnetError(
      'VNET_CHANGE',
      'this bridge is in mode multicast: peers are whoever sends to the group',
    );
  const end = parseTunnelEnd(address);
  if (end === undefined || end.isGroup || end.family !== own.family)
    throw new VnetError(
      'VNET_CHANGE',
      `"${address}" is not the IPv${own.family} address of a tunnel end such as ${own.text}, which is this host's`,
    );
  if (end.text === own.text)
    throw new VnetError('VNET_CHANGE', `${end.text} is this host itself, which is no peer`);
  if (vni !== null && !vnis.includes(vni))
    throw new VnetError('VNET_CHANGE', `there is no segment with VNI ${vni}; there are ${vnis.join(', ')}`);
  const changed = membership.request(end, peer === 'add', vni === null ? vnis : [vni]);
  if (changed.length === 0)
    throw new VnetError(
      'VNET_CHANGE',
      `${end.text} is ${peer === 'add' ? 'a peer already' : 'no peer'}${vni === null ? '' : ` of VNI ${vni}`}; nothing changed`,
    );
  return changed.map((each) => `VNI ${each}: peer ${end.text} ${peer === 'add' ? 'added' : 'removed'}`);
}
