import type { SightProps } from '../../parts/sight.ts';
import { AddressList } from './AddressList.tsx';
import { OneAddress } from './OneAddress.tsx';

/** Addresses: all of them, or one with its peers, tunnels, ports and history. */
export default function Hosts(props: SightProps) {
  const { address, in: segment } = props.place.sheet;
  if (address === undefined) return <AddressList {...props} />;
  // Another one begins anew: what was answered of the last is not of this.
  return <OneAddress key={`${address} ${segment}`} {...props} address={address} />;
}
