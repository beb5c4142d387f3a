import type { ReactNode } from 'react';
import { Amount } from '../../parts/Amount.tsx';
import { AddressName, IfNamed, SegmentName, SegmentText } from '../../parts/Named.tsx';
import { Swatch } from '../../parts/Paints.tsx';
import { PlaceLink } from '../../parts/tables.tsx';
import type { Place, Units } from '../../question.ts';
import type { Paint } from '../../segments.ts';
import { percent, rate } from '../../words.ts';

/** A line of a list, and where it leads. */
export interface Line {
  readonly id: string;
  /** An address; absent where the line is a segment's. */
  readonly words?: string;
  readonly more?: string | undefined;
  readonly segment: string | undefined;
  readonly octets: number;
  /** The same of the span before. */
  readonly before?: number | undefined;
  readonly to: Place;
  /** Where its past is, with since when it is so much. */
  readonly since?: Place | undefined;
}

interface ListProps {
  readonly about: string;
  /** Undefined as long as they are not known. */
  readonly lines: readonly Line[] | undefined;
  readonly units: Units;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly go: (place: Place) => void;
}

/** The largest of something, each with its share. */
export function LineList(
  props: ListProps & {
    readonly title: string;
    readonly testId: string;
    /** What octets are divided by. */
    readonly seconds: number;
    /** Octets of all, listed or not. */
    readonly whole: number;
    readonly empty: string;
  },
) {
  const { title, about, testId, lines, whole, seconds, units, paints, go, empty } = props;
  return (
    <Frame title={title} about={about} testId={testId} lines={lines} empty={empty}>
      {lines?.map((line) => (
        <li key={line.id} data-testid={`${testId}-line`} data-line={line.id} data-octets={line.octets}>
          <Name line={line} paints={paints} go={go} />
          <Amount quantity={rate(perSecond(line.octets, seconds), units)} />
          <span className="line-share">{percent(line.octets, whole)}</span>
          <About line={line} go={go} />
          <progress value={line.octets} max={Math.max(1, whole)} aria-hidden="true" />
        </li>
      ))}
    </Frame>
  );
}

/** What grew most per second that was metered. */
export function ChangeList(
  props: ListProps & { readonly seconds: { readonly now: number; readonly before: number } },
) {
  const { about, lines, seconds, units, paints, go } = props;
  const was = ({ before = 0 }: Line): number => perSecond(before, seconds.before);
  const is = ({ octets }: Line): number => perSecond(octets, seconds.now);
  const by = (line: Line): number => is(line) - was(line);
  const grown =
    seconds.before === 0
      ? lines && []
      : lines?.filter((line) => by(line) > 0).toSorted((x, y) => by(y) - by(x));
  const empty =
    seconds.before === 0 ? 'Of what came before nothing was metered, or too little.' : 'Nothing grew.';
  return (
    <Frame title="What grew most" about={about} testId="changes" lines={grown} empty={empty}>
      {grown?.map((line) => (
        <li
          key={line.id}
          data-testid="changes-line"
          data-line={line.id}
          data-octets={line.octets}
          data-before={line.before}
        >
          <Name line={line} paints={paints} go={go} />
          <span className="line-grown">
            + <Amount quantity={rate(by(line), units)} />
          </span>
          <span className="line-share">{timesWords(is(line), was(line))}</span>
          <About line={line} go={go} />
        </li>
      ))}
    </Frame>
  );
}

/** `× 2.4`, or `+ 4.2 %` of what hardly grew. */
function timesWords(is: number, was: number): string {
  if (was === 0) return 'new';
  const times = is / was;
  if (times < 1.1) return `+ ${percent(is - was, was)}`;
  return `× ${times.toFixed(times < 10 ? 1 : 0)}`;
}

function perSecond(octets: number, seconds: number): number {
  return seconds > 0 ? octets / seconds : 0;
}

const SKELETON = [1, 2, 3, 4];

function Frame(props: {
  readonly title: string;
  readonly about: string;
  readonly testId: string;
  readonly lines: readonly Line[] | undefined;
  readonly empty: string;
  readonly children: ReactNode;
}) {
  const { title, about, testId, lines, empty } = props;
  return (
    <section className="overview-list" data-testid={testId} aria-busy={lines === undefined}>
      <h2>
        {title} <span className="quiet">{about}</span>
      </h2>
      {lines === undefined ? (
        <ol aria-hidden="true">
          {SKELETON.map((line) => (
            <li key={line}>
              <span className="skeleton" />
            </li>
          ))}
        </ol>
      ) : lines.length === 0 ? (
        <p className="quiet">{empty}</p>
      ) : (
        <ol>{props.children}</ol>
      )}
    </section>
  );
}

function Name({ line, paints, go }: Pick<ListProps, 'paints' | 'go'> & { readonly line: Line }) {
  const { words, segment, to } = line;
  return (
    <span className="line-name">
      {segment !== undefined && <Swatch paints={paints} segment={segment} />}
      <PlaceLink to={to} go={go} className={words === undefined ? '' : 'mono'}>
        {words === undefined ? <SegmentText segment={segment ?? 'none'} /> : <AddressName address={words} />}
      </PlaceLink>
    </span>
  );
}

/** Where an address is, and the way to its past. */
function About({ line, go }: Pick<ListProps, 'go'> & { readonly line: Line }) {
  const { words, more, segment, since } = line;
  if (words === undefined || segment === undefined) return undefined;
  return (
    <span className="line-about">
      <IfNamed address={words}>{words}, </IfNamed>
      <SegmentName segment={segment} />
      {more !== undefined && more !== words && (
        <>
          , on <AddressName address={more} />
        </>
      )}
      {since && (
        <PlaceLink to={since} go={go} className="link">
          since when?
        </PlaceLink>
      )}
    </span>
  );
}
