import type { SightProps } from '../../parts/sight.ts';
import { AddressList } from './AddressList.tsx';
import { OneAddress } from './OneAddress.tsx';

/** Addresses: all of them, or one with its peers, tunnels, ports and history. */
export default function Hosts(props: SightProps) {
  const { address } = props.place.sheet;
  return address === undefined ? <AddressList {...props} /> : <OneAddress {...props} address={address} />;
}
