/** Alerts of the configuration: a question, a threshold, a duration. */
import { z } from 'zod';
import {
  ALERT_DIMENSIONS,
  ALERT_QUANTITIES,
  type AlertDefinition,
  type Filter,
  FilterError,
  MAX_ALERTS,
  parseViewFilter,
} from '../query/index.ts';
import { ConfigError } from './error.ts';
import { parseDuration, parseThreshold } from './scalar.ts';
import { choice, list, scalar, section } from './value-schema.ts';

const parseName = (field: string, text: string): string => {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  throw new ConfigError(field, text, 'a name of letters, digits, "_", "." and "-" (at most 64)');
};

const parseWebhook = (field: string, text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (isHttp && url.username === '' && url.password === '' && text.length <= 2000) return url.href;
  throw new ConfigError(field, text, 'an address of http or https, without user and password');
};

const filter = z.string({ error: 'a filter in quotes' }).transform((text, context) => {
  try {
    return { text, filter: parseViewFilter(text) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    context.addIssue({
      code: 'custom',
      message: error.message.replace(/^column \d+: /, ''),
      input: text,
      params: { from: error.column - 1, of: 'filter' },
    });
    return z.NEVER;
  }
});

const NO_FILTER: { readonly text: string; readonly filter: Filter } = { text: '', filter: { kind: 'any' } };

const threshold = () => z.union([z.string(), z.number()], { error: 'a threshold such as 1Gbit/s' });

const AlertSchema = section({
  name: scalar('a name', parseName).describe('what it is called; each has another'),
  filter: filter.optional().describe('only flows that fit, in the filter language of views; default all'),
  quantity: choice(ALERT_QUANTITIES)
    .prefault('octets')
    .describe('what is compared: octets or packets per second on the wire, or how many flows there are'),
  by: choice(ALERT_DIMENSIONS)
    .optional()
    .describe(`each group by itself: ${ALERT_DIMENSIONS.join(', ')}; default all together`),
  above: threshold()
    .optional()
    .describe('fires above this: 1Gbit/s or 100MB/s, 10kpkt/s, or flows such as 5k'),
  below: threshold().optional().describe('fires below this; either this or `above`'),
  for: scalar('a duration such as 30s', parseDuration)
    .prefault('30s')
    .describe('fires when it has been so for so long'),
  webhook: scalar('an address of http or https', parseWebhook)
    .optional()
    .describe('is told by a POST of JSON when it fires and when that is over'),
}).transform(
  ({ name, filter, quantity, by, above, below, for: forMs, webhook }, context): AlertDefinition => {
    const bound = above === undefined ? 'below' : 'above';
    const wrong = (key: 'above' | 'below', message: string): never => {
      context.addIssue({ code: 'custom', path: [key], message, input: { above, below }[key] });
      return z.NEVER;
    };
    const value = above ?? below;
    if (value === undefined) return wrong('above', 'a threshold: one of above and below is needed');
    if (above !== undefined && below !== undefined)
      return wrong('below', 'needed: above is a threshold already');
    try {
      const threshold = parseThreshold('', String(value), quantity);
      if (bound === 'below' && threshold === 0)
        return wrong(bound, 'more than 0, below which there is nothing');
      const { text: filterText, filter: fits } = filter ?? NO_FILTER;
      return { name, filterText, filter: fits, quantity, by, bound, threshold, forMs, webhook };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return wrong(bound, error.wanted);
    }
  },
);

/** Alerts of an agent, each by a name of its own. */
export const AlertsSchema = list(AlertSchema)
  .max(MAX_ALERTS, `a list of at most ${MAX_ALERTS}`)
  .superRefine((alerts, context) => {
    const names = new Set<string>();
    for (const [i, { name }] of alerts.entries()) {
      if (names.has(name))
        context.addIssue({
          code: 'custom',
          path: [i, 'name'],
          message: 'another name than that of an alert before it',
        });
      names.add(name);
    }
  });
