/** Who is meant by an address that several tenants may have, and what is asked of them. */
import { useMemo } from 'react';
import { type KnownAnswer, useAnswer, useAnswers } from '../../answers.ts';
import type { AnyQuestion, TimelessQuestion } from '../../asking.ts';
import { cellOf } from '../../flow-filter.ts';
import { useMoment } from '../../moment.ts';
import type { SightProps } from '../../parts/sight.ts';
import { both, type Owner, ownerFilters, selectionOf } from '../../selection.ts';

/** A segment in which an address talks, and how much. */
interface Tenant {
  readonly segment: string;
  readonly octets: number;
}

const MOST = 10_000;
const MOST_FLOWS = 1000;
const MOST_TENANTS = 1000;

/** What is known of an owner of an address. */
export interface KnownOwner {
  /** Segments in which the address talks in this time, most first; undefined until it is known. */
  readonly tenants: readonly Tenant[] | undefined;
  /** Who is meant; undefined where several could be, and until that is known. */
  readonly owner: Owner | undefined;
  /** Each undefined until it is asked: as a client, as an end of tunnels, its tunnels, its ports, its flows. */
  readonly inner: KnownAnswer | undefined;
  readonly outer: KnownAnswer | undefined;
  readonly tunnels: KnownAnswer | undefined;
  readonly ports: KnownAnswer | undefined;
  readonly flows: KnownAnswer | undefined;
  readonly problem: KnownAnswer['problem'];
}

function questionsOf(owner: Owner, selection: string | undefined): TimelessQuestion[] {
  const { client, end, either } = ownerFilters(owner);
  const filter = both(selection, client)!;
  const questions: TimelessQuestion[] = [
    { ask: 'top', by: ['src', 'dst'], filter, limit: MOST },
    {
      ask: 'top',
      by: ['segment', 'outer.src', 'outer.dst'],
      filter: both(selection, either, 'tunnel != none')!,
      limit: MOST,
    },
    { ask: 'top', by: ['proto', 'dport'], filter, limit: MOST },
    { ask: 'flows', filter: both(selection, either)!, limit: MOST_FLOWS },
  ];
  if (end !== undefined)
    questions.push({
      ask: 'top',
      by: ['outer.src', 'outer.dst'],
      filter: both(selection, end)!,
      limit: MOST,
    });
  return questions;
}

/** Asks in which segments an address is, and, as soon as one is meant, what it does there. */
export function useOwner({ place, feed, isPaused }: SightProps, address: string): KnownOwner {
  const { time, turn } = useMoment(place, feed, isPaused);
  const selection = selectionOf(place);
  const { in: chosen } = place.sheet;
  const ofTenants = useMemo(
    (): AnyQuestion | undefined =>
      time && {
        ask: 'top',
        by: ['segment'],
        limit: MOST_TENANTS,
        filter: both(selection, `host = ${address}`)!,
        ...time,
      },
    [time, selection, address],
  );
  const known = useAnswer(ofTenants, turn);
  const { table } = known;
  const tenants = useMemo(
    () =>
      table?.rows.map((row) => ({
        segment: String(row[0]),
        octets: Number(cellOf(table.columns, row, 'octets')),
      })),
    [table],
  );
  const isOne = chosen !== undefined || (tenants !== undefined && tenants.length <= 1);
  const owner = useMemo(
    (): Owner | undefined => (isOne ? { address, segment: chosen } : undefined),
    [isOne, address, chosen],
  );
  const questions = useMemo(
    (): AnyQuestion[] | undefined =>
      time && owner && questionsOf(owner, selection).map((each) => ({ ...each, ...time })),
    [time, owner, selection],
  );
  const answers = useAnswers(questions, turn);
  const [inner, tunnels, ports, flows, outer] = owner ? answers : [];
  const problem = [known, ...answers].find((each) => each.problem)?.problem;
  return { tenants, owner, inner, outer, tunnels, ports, flows, problem };
}
