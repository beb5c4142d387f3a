/** Addresses and segments with what they are called: the name first, in its place nothing is lost. */
import { memo, type ReactNode } from 'react';
import type { Arc } from '../layout/fold.ts';
import { nameTitle } from '../name-words.ts';
import { useName } from '../naming.ts';
import { segmentName } from '../segments.ts';
import { arcName } from '../words.ts';

interface AddressProps {
  readonly address: string;
}

/** An address and its name, on one line: where both find no room the address stands in the title. */
export const AddressText = memo(function AddressText({ address }: AddressProps) {
  const name = useName('addresses', address);
  if (!name) return <span className="mono">{address}</span>;
  return (
    // The name of a network is that of many: there the address keeps its room.
    <span
      className={name.network === undefined ? 'named' : 'named of-network'}
      title={nameTitle(name, address)}
      data-testid="named"
    >
      <bdi className="name">{name.name}</bdi> <span className="mono also">{address}</span>
    </span>
  );
});

/** The name in place of the address, which stands in the title; the other way round where a network has the name. */
export const AddressName = memo(function AddressName({ address }: AddressProps) {
  const name = useName('addresses', address);
  if (!name) return <span className="mono">{address}</span>;
  return name.network === undefined ? (
    <bdi className="name" title={nameTitle(name, address)} data-testid="named">
      {name.name}
    </bdi>
  ) : (
    <span className="mono" title={nameTitle(name, address)} data-testid="named">
      {address}
    </span>
  );
});

/** What is to be said beside {@link AddressName} where that is no address. */
export function IfNamed({ address, children }: AddressProps & { readonly children: ReactNode }) {
  const name = useName('addresses', address);
  return name && name.network === undefined ? children : null;
}

/** A segment's name and its VNI, on one line. */
export const SegmentText = memo(function SegmentText({ segment }: { readonly segment: string }) {
  const name = useName('segments', segment);
  const words = segmentName(segment);
  if (!name) return <>{words}</>;
  return (
    <span className="named" title={nameTitle(name, words)} data-testid="named">
      <bdi className="name">{name.name}</bdi> <span className="also">{words}</span>
    </span>
  );
});

/** A segment's name in place of its VNI, which stands in the title. */
export const SegmentName = memo(function SegmentName({ segment }: { readonly segment: string }) {
  const name = useName('segments', segment);
  const words = segmentName(segment);
  if (!name) return <>{words}</>;
  return (
    <bdi className="name" title={nameTitle(name, words)} data-testid="named">
      {name.name}
    </bdi>
  );
});

/** A MAC, below what it is called. */
export function MacText({ mac }: { readonly mac: string }) {
  const name = useName('addresses', mac);
  if (!name) return mac;
  return (
    <>
      <bdi className="name" title={nameTitle(name, mac)} data-testid="named">
        {name.name}
      </bdi>
      <span className="sub mono also">{mac}</span>
    </>
  );
}

interface ArcProps {
  readonly arc: Pick<Arc, 'id' | 'node' | 'count' | 'hasMore'>;
}

/** What an arc is called; a fold says how many it stands for. */
export function ArcName({ arc }: ArcProps) {
  return arc.node ? <AddressName address={arc.node.address} /> : arcName(arc);
}

/** The same, and below it what is not in the name: address and segment. */
export function ArcText({ arc }: ArcProps) {
  const { address, segment } = arc.node ?? {};
  const name = useName('addresses', address);
  if (!name || address === undefined)
    return (
      <>
        {arcName(arc)}
        {segment && (
          <span className="sub">
            <SegmentText segment={segment} />
          </span>
        )}
      </>
    );
  return (
    <>
      <bdi className="name" title={nameTitle(name, address)} data-testid="named">
        {name.name}
      </bdi>
      <span className="sub mono also">{address}</span>
      {segment && (
        <span className="sub">
          <SegmentName segment={segment} />
        </span>
      )}
    </>
  );
}
