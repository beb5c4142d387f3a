/**
 * One alert: from what its groups come to, epoch after epoch, how they stand.
 *
 *     ok ──beyond──▶ pending ──still beyond after `for`──▶ firing ──not beyond──▶ resolved ──5 min──▶ ok
 *                       └──────not beyond──▶ ok              resolved ──beyond──▶ pending
 *
 * Nothing is read here, neither clocks nor traffic: equal readings give equal states.
 */
import type { GroupQuestion, GroupSums } from '../live/index.ts';
import {
  ALERT_STATES,
  type AlertDefinition,
  type AlertGroup,
  type AlertState,
  type AlertStatus,
  MAX_ALERT_GROUPS,
} from '../query/index.ts';

/** What fired and is over is said to be resolved for so long. */
const RESOLVED_MS = 300_000;
/** The one group of an alert that tells none apart. */
const ALL = '';

/** The end of an epoch. */
export interface Moment {
  /** Unix epoch, milliseconds. */
  readonly atMs: number;
  /** Milliseconds of a clock that nobody sets: durations are of this one. */
  readonly steadyMs: number;
}

/** A group has begun to fire, or it is over. */
export interface AlertChange {
  readonly definition: AlertDefinition;
  readonly state: 'firing' | 'resolved';
  /** `null` where the alert tells none apart. */
  readonly group: string | null;
  readonly value: number;
  readonly atMs: number;
  /** Since when it is, or was, beyond the threshold. */
  readonly beyondSinceMs: number;
  /** It is over because nobody watches it any more, not because of what was read. */
  readonly isAbandoned: boolean;
}

interface Group {
  state: AlertState;
  /** When that began. */
  since: Moment;
  /** When it was first beyond, the last time that it was. */
  beyondSince: Moment;
  value: number;
}

/** How an alert stands, of all that was read so far. */
export class Alert {
  #definition: AlertDefinition;
  readonly #groups = new Map<string, Group>();
  #state: AlertState = 'ok';
  #okSinceMs: number;
  #value: number | null = null;
  #leftOut = 0;

  /** @param atMs since when it is ok, nothing being read yet */
  constructor(definition: AlertDefinition, atMs: number) {
    this.#definition = definition;
    this.#okSinceMs = atMs;
  }

  /** What it watches. */
  get definition(): AlertDefinition {
    return this.#definition;
  }

  /** Is told elsewhere from now on, and stands as it stood. */
  tellTo(webhook: string | undefined): this {
    this.#definition = { ...this.#definition, webhook };
    return this;
  }

  /** What has to be known of the traffic. */
  get question(): GroupQuestion {
    const { filter, quantity, by, bound, threshold } = this.definition;
    const most = by === undefined ? 0 : MAX_ALERT_GROUPS;
    const above = bound === 'above' ? threshold : Number.POSITIVE_INFINITY;
    return { filter, quantity, by, most, also: by === undefined ? [] : [...this.#groups.keys()], above };
  }

  /** Groups that fire. */
  get firing(): number {
    let count = 0;
    for (const { state } of this.#groups.values()) if (state === 'firing') count++;
    return count;
  }

  /** Takes what was read at the end of an epoch. @returns what has begun to fire, and what is over */
  take(sums: GroupSums, now: Moment): AlertChange[] {
    const { by } = this.definition;
    const values = by === undefined ? new Map([[ALL, sums.total]]) : sums.groups;
    const changes: AlertChange[] = [];
    for (const [name, group] of this.#groups) {
      group.value = values.get(name) ?? 0;
      const change = this.#step(name, group, now);
      if (change) changes.push(change);
      if (this.#isForgotten(group)) this.#groups.delete(name);
    }
    for (const [name, value] of values)
      if (!this.#groups.has(name) && this.#isNoteworthy(value)) this.#begin(name, value, now);
    this.#leftOut = this.#countLeftOut(sums);
    this.#value = this.#furthest(values);
    const state = this.#worst();
    if (state === 'ok' && this.#state !== 'ok') this.#okSinceMs = now.atMs;
    this.#state = state;
    return changes;
  }

  /** It is not watched any more. @returns what fired until now */
  end(now: Moment): AlertChange[] {
    return [...this.#groups]
      .filter(([, { state }]) => state === 'firing')
      .map(([name, group]) => this.#changeOf(name, group, { state: 'resolved', now, isAbandoned: true }));
  }

  /** How it stands; how its webhook does is another's to say. */
  status(): Omit<AlertStatus, 'webhook'> {
    const { name, filterText, quantity, by, bound, threshold, forMs } = this.definition;
    const state = this.#state;
    const groups = [...this.#groups].filter(([, group]) => group.state !== 'ok');
    const ofState = groups.filter(([, group]) => group.state === state).map(([, { since }]) => since.atMs);
    return {
      name,
      filter: filterText,
      quantity,
      by: by ?? null,
      bound,
      threshold,
      forMs,
      state,
      sinceMs: state === 'ok' ? this.#okSinceMs : Math.min(...ofState),
      value: this.#value,
      groups: by === undefined ? [] : groups.map(groupStatus).toSorted((a, b) => this.#order(a, b)),
      groupsLeftOut: this.#leftOut,
    };
  }

  #isBeyond(value: number): boolean {
    const { bound, threshold } = this.definition;
    return bound === 'above' ? value > threshold : value < threshold;
  }

  /** Of groups that are to be above, those that are; of those that are to be below, those that have been not. */
  #isNoteworthy(value: number): boolean {
    const { by, bound } = this.definition;
    return by === undefined || this.#isBeyond(value) === (bound === 'above');
  }

  /** Groups that are well are known anew each time, but those of which it is to be told when they fall. */
  #isForgotten({ state }: Group): boolean {
    const { by, bound } = this.definition;
    return by !== undefined && bound === 'above' && state === 'ok';
  }

  #begin(name: string, value: number, now: Moment): void {
    if (this.#groups.size >= MAX_ALERT_GROUPS && !this.#makeRoom()) return;
    const isBeyond = this.#isBeyond(value);
    this.#groups.set(name, { state: isBeyond ? 'pending' : 'ok', since: now, beyondSince: now, value });
  }

  /** What is over makes room for what is not. */
  #makeRoom(): boolean {
    for (const [name, { state }] of this.#groups) if (state === 'resolved') return this.#groups.delete(name);
    return false;
  }

  #step(name: string, group: Group, now: Moment): AlertChange | undefined {
    const isBeyond = this.#isBeyond(group.value);
    const inStateMs = now.steadyMs - group.since.steadyMs;
    const turn = (state: AlertState): void => {
      group.state = state;
      group.since = now;
    };
    switch (group.state) {
      case 'ok':
      case 'resolved':
        if (isBeyond) {
          group.beyondSince = now;
          turn('pending');
        } else if (group.state === 'resolved' && inStateMs >= RESOLVED_MS) turn('ok');
        return undefined;
      case 'pending':
        if (!isBeyond) turn('ok');
        else if (inStateMs >= this.definition.forMs) {
          turn('firing');
          return this.#changeOf(name, group, { state: 'firing', now, isAbandoned: false });
        }
        return undefined;
      case 'firing':
        if (isBeyond) return undefined;
        turn('resolved');
        return this.#changeOf(name, group, { state: 'resolved', now, isAbandoned: false });
    }
  }

  #changeOf(
    name: string,
    { value, beyondSince }: Group,
    how: { readonly state: AlertChange['state']; readonly now: Moment; readonly isAbandoned: boolean },
  ): AlertChange {
    const { definition } = this;
    const group = definition.by === undefined ? null : name;
    const { state, now, isAbandoned } = how;
    return { definition, state, group, value, atMs: now.atMs, beyondSinceMs: beyondSince.atMs, isAbandoned };
  }

  #countLeftOut({ count, countAbove }: GroupSums): number {
    const { by, bound } = this.definition;
    if (by === undefined) return 0;
    let watched = 0;
    for (const { state, value } of this.#groups.values())
      if (bound === 'above' ? state === 'pending' || state === 'firing' : value > 0) watched++;
    return Math.max(0, (bound === 'above' ? countAbove : count) - watched);
  }

  /** Of groups that are to be below only those that are watched: there is always one smaller. */
  #furthest(values: ReadonlyMap<string, number>): number | null {
    const { by, bound } = this.definition;
    if (by === undefined) return values.get(ALL)!;
    const all =
      bound === 'above' ? [...values.values()] : [...this.#groups.values()].map(({ value }) => value);
    if (all.length === 0) return null;
    return all.reduce((a, b) => (bound === 'above' ? Math.max(a, b) : Math.min(a, b)));
  }

  #worst(): AlertState {
    let worst = 0;
    for (const { state } of this.#groups.values()) worst = Math.max(worst, ALERT_STATES.indexOf(state));
    return ALERT_STATES[worst]!;
  }

  #order(a: AlertGroup, b: AlertGroup): number {
    const bad = ALERT_STATES.indexOf(b.state) - ALERT_STATES.indexOf(a.state);
    if (bad !== 0) return bad;
    return this.definition.bound === 'above' ? b.value - a.value : a.value - b.value;
  }
}

function groupStatus([name, { state, since, value }]: readonly [string, Group]): AlertGroup {
  return { group: name, state, sinceMs: since.atMs, value };
}
