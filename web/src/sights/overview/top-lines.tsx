import { useMemo } from 'react';
import type { StreamedView } from '../../../../src/query/index.ts';
import type { SightProps } from '../../parts/sight.ts';
import { asSight, type Place } from '../../question.ts';
import { placeOfAddress } from '../../selection.ts';
import { lengthWords } from '../../time-words.ts';
import { windowWords } from '../../words.ts';
import { type Asked, meteredSeconds, RECENT } from './asked.ts';
import { ChangeList, type Line, LineList } from './lists.tsx';
import { LINES, NO_ADDRESS, readTalkers, type Talker } from './questions.ts';

/** What a history would add, and how there comes to be one. */
export function NoHistory() {
  return (
    <div className="no-history" data-testid="no-history">
      <p>This agent keeps no history: what was yesterday, and what changed, nobody can tell. Start it with</p>
      <p>
        <code>tunnelscope monitor --history DIR</code>
      </p>
    </div>
  );
}

/** Who sends most now. */
export function LiveTalkers({ view, place, go, paints }: SightProps) {
  const lines = useMemo(() => (view ? liveTalkers(view, place) : undefined), [view, place]);
  const seconds = view?.windowSeconds ?? 0;
  return (
    <LineList
      title="Top talkers"
      about={view ? windowWords(view) : ''}
      testId="talkers"
      lines={lines}
      whole={view?.total.octets ?? 0}
      seconds={seconds}
      units={place.units}
      paints={paints}
      go={go}
      empty="Nobody sends."
    />
  );
}

function liveTalkers({ nodes, question }: StreamedView, place: Place): Line[] {
  return nodes
    .filter(({ sent }) => sent.octets > 0)
    .sort((x, y) => y.sent.octets - x.sent.octets)
    .slice(0, LINES)
    .map(({ id, address, segment, sent }) => ({
      id,
      words: address,
      segment: segment ?? undefined,
      octets: sent.octets,
      to:
        segment === null && question.host === undefined
          ? {
              ...asSight(place, 'chord'),
              from: 0,
              client: undefined,
              question: { ...question, host: address },
            }
          : { ...asSight(place, 'chord'), from: 0, client: id },
    }));
}

/** Who sent most. */
export function PastTalkers({ answers, span, place, go, paints }: Asked) {
  const { table } = answers.talkers;
  const lines = useMemo(
    () => table && readTalkers(table).map((talker) => lineOf(talker, place)),
    [table, place],
  );
  return (
    <LineList
      title="Top talkers"
      about={span ? `in ${lengthWords(span.toMs - span.fromMs)}` : ''}
      testId="talkers"
      lines={lines}
      whole={table?.total.octets ?? 0}
      seconds={meteredSeconds(table)}
      units={place.units}
      paints={paints}
      go={go}
      empty="Nobody sent."
    />
  );
}

function lineOf({ address, segment, host, octets, before }: Talker, place: Place): Line {
  const chord = asSight(place, 'chord');
  return {
    id: `${segment}/${address}@${host ?? ''}`,
    words: address,
    more: host ?? undefined,
    segment,
    octets,
    before,
    to: {
      ...chord,
      from: 0,
      client: `${segment}/${address}`,
      list: 'pairs',
      question: withoutPair(chord.question, host ?? address),
    },
    // With its segment: another tenant may have the same address.
    since: address === NO_ADDRESS ? undefined : placeOfAddress(place, { address, segment }),
  };
}

function withoutPair({ pair: _, ...question }: Place['question'], host: string): Place['question'] {
  return { ...question, host };
}

/** What the segments carry. */
export function SegmentLines({ answers, view, place, go, paints, span }: Asked) {
  const isLive = place.time.kind === 'live';
  const { table } = answers.segments;
  const lines = useMemo((): Line[] | undefined => {
    const to = (segment: string): Place => ({
      ...asSight(place, 'chord'),
      from: 0,
      question: { ...place.question, segment },
    });
    if (isLive)
      return view?.segments
        .filter(({ octets }) => octets > 0)
        .sort((x, y) => y.octets - x.octets)
        .slice(0, LINES)
        .map(({ id, octets }) => ({ id, segment: id, octets, to: to(id) }));
    const octets = table?.columns.findIndex(({ name }) => name === 'octets') ?? 0;
    return table?.rows.slice(0, LINES).map((row) => ({
      id: String(row[0]),
      segment: String(row[0]),
      octets: Number(row[octets]),
      to: to(String(row[0])),
    }));
  }, [isLive, view, table, place]);
  const whole = isLive
    ? (view?.segments.reduce((sum, { octets }) => sum + octets, 0) ?? 0)
    : (table?.total.octets ?? 0);
  return (
    <LineList
      title="Segments"
      about={
        isLive ? (view ? windowWords(view) : '') : span ? `in ${lengthWords(span.toMs - span.fromMs)}` : ''
      }
      testId="segment-lines"
      lines={lines}
      whole={whole}
      seconds={isLive ? (view?.windowSeconds ?? 0) : meteredSeconds(table)}
      units={place.units}
      paints={paints}
      go={go}
      empty="No traffic."
    />
  );
}

/** Where less of a span was metered nothing is compared with it: of two minutes of a week nobody knows the week. */
const LEAST_KNOWN = 0.05;

/** What grew against the span before, as far as that was metered. */
export function Changes({ answers, span, place, go, paints }: Asked) {
  const { table } = answers.changes;
  const before = meteredSeconds(answers.before.table);
  const lines = useMemo(() => {
    const here: Place = place.time.kind === 'live' ? { ...place, time: RECENT } : place;
    return table && readTalkers(table).map((talker) => lineOf(talker, here));
  }, [table, place]);
  const lengthMs = span ? span.toMs - span.fromMs : 0;
  const length = lengthWords(lengthMs);
  const isWhole = before * 1000 >= 0.99 * lengthMs;
  const isEnough = before * 1000 >= LEAST_KNOWN * lengthMs;
  const known = isWhole ? '' : `, of which ${lengthWords(before * 1000)} were metered`;
  return (
    <ChangeList
      about={span ? `${length} against the ${length} before${known}` : ''}
      lines={answers.before.table && lines}
      seconds={{ now: meteredSeconds(table), before: isEnough ? before : 0 }}
      units={place.units}
      paints={paints}
      go={go}
    />
  );
}
