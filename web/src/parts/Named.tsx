/** Addresses and segments with what they are called: the name first, in its place nothing is lost. */
import { memo, type ReactNode } from 'react';
import type { Name } from '../../../src/query/index.ts';
import type { Arc } from '../layout/fold.ts';
import { nameTitle } from '../name-words.ts';
import type { Naming } from '../names.ts';
import { useName } from '../naming.ts';
import { segmentName } from '../segments.ts';
import { arcName } from '../words.ts';

interface AddressProps {
  readonly address: string;
}

interface SegmentProps {
  readonly segment: string;
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
  return <Called address={address} name={useName('addresses', address)} />;
});

interface CalledProps extends AddressProps {
  readonly name: Name | undefined;
}

function Called({ address, name }: CalledProps) {
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
}

/** What is to be said beside {@link AddressName} where that is no address. */
export function IfNamed({ address, children }: AddressProps & { readonly children: ReactNode }) {
  const name = useName('addresses', address);
  return name && name.network === undefined ? children : null;
}

/** A segment's name and its VNI, on one line. */
export const SegmentText = memo(function SegmentText({ segment }: SegmentProps) {
  return <TenantText segment={segment} name={useName('segments', segment)} />;
});

interface TenantProps extends SegmentProps {
  readonly name: Name | undefined;
}

function TenantText({ segment, name }: TenantProps) {
  const words = segmentName(segment);
  if (!name) return <>{words}</>;
  return (
    <span className="named" title={nameTitle(name, words)} data-testid="named">
      <bdi className="name">{name.name}</bdi> <span className="also">{words}</span>
    </span>
  );
}

/** A segment's name in place of its VNI, which stands in the title. */
export const SegmentName = memo(function SegmentName({ segment }: SegmentProps) {
  return <TenantName segment={segment} name={useName('segments', segment)} />;
});

function TenantName({ segment, name }: TenantProps) {
  const words = segmentName(segment);
  if (!name) return <>{words}</>;
  return (
    <bdi className="name" title={nameTitle(name, words)} data-testid="named">
      {name.name}
    </bdi>
  );
}

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
  readonly naming: Naming;
}

/** What an arc is called; a fold says how many it stands for. */
export function ArcName({ arc, naming }: ArcProps) {
  const { address } = arc.node ?? {};
  return address === undefined ? arcName(arc) : <Called address={address} name={naming.address(address)} />;
}

/** The same, and below it what is not in the name: address and segment. */
export function ArcText({ arc, naming }: ArcProps) {
  const { address, segment } = arc.node ?? {};
  const name = address === undefined ? undefined : naming.address(address);
  const tenant = segment == null ? undefined : naming.segment(segment);
  if (!name || address === undefined)
    return (
      <>
        {arcName(arc)}
        {segment && (
          <span className="sub">
            <TenantText segment={segment} name={tenant} />
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
          <TenantName segment={segment} name={tenant} />
        </span>
      )}
    </>
  );
}
