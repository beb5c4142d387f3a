/** The page before a week of history, of which the last minutes are what is live. */
import type { StoredWeek } from '../../test/week.ts';
import type { BenchOptions } from './browser.ts';
import { ScriptedSource } from './source.ts';

/** Options of a bench before it. @param rest what else stands in them */
export function beforeWeek(week: StoredWeek, rest: BenchOptions = {}): BenchOptions {
  return {
    ...rest,
    serve: {
      views: week.live,
      live: week.live,
      history: week.store,
      status: () => week.withHistory(new ScriptedSource().status()),
      ...rest.serve,
    },
  };
}
