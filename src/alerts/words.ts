/** What is told of alerts: a line for people, and a document for programs. */
import { bitRateQuantity, countQuantity, formatQuantity, packetRateQuantity } from '../flow/index.ts';
import type { AlertDefinition } from '../query/index.ts';
import type { AlertChange } from './alert.ts';

/** Who tells. */
export interface AlertOrigin {
  /** Of the instance. */
  readonly name: string;
  readonly hostname: string;
}

/** In one line: `Alert "uplink" fires: vxlan:5001 has 1.24 Gbit/s, above 1 Gbit/s for 30 s`. */
export function changeText(change: AlertChange): string {
  const { definition, state, group, value, atMs, beyondSinceMs, isAbandoned } = change;
  const { name, bound, threshold, forMs } = definition;
  const whose = group === null ? '' : `${group} has `;
  const limit = `${bound} ${amountText(definition, threshold)}`;
  if (state === 'firing')
    return `Alert "${name}" fires: ${whose}${amountText(definition, value)}, ${limit} for ${durationText(forMs)}`;
  const lasted = `it was ${limit} for ${durationText(Math.max(0, atMs - beyondSinceMs))}`;
  return isAbandoned
    ? `Alert "${name}" is over: ${group === null ? 'it' : group} is not watched any more; ${lasted}`
    : `Alert "${name}" is over: ${whose}${amountText(definition, value)}; ${lasted}`;
}

/** The body of what is posted to a webhook; docs/alerts.md says what stands in it. */
export function changeDocument(change: AlertChange, agent: AlertOrigin): Record<string, unknown> {
  const { definition, state, group, value, atMs, beyondSinceMs } = change;
  const { name, filterText, quantity, by, bound, threshold, forMs } = definition;
  return {
    version: 1,
    text: changeText(change),
    alert: name,
    state,
    group,
    value,
    atMs,
    beyondSinceMs,
    filter: filterText,
    quantity,
    by: by ?? null,
    bound,
    threshold,
    forMs,
    agent,
  };
}

function amountText({ quantity }: AlertDefinition, amount: number): string {
  if (quantity === 'octets') return formatQuantity(bitRateQuantity(amount));
  if (quantity === 'packets') return formatQuantity(packetRateQuantity(amount));
  return `${formatQuantity(countQuantity(amount))} flows`;
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return `${ms} ms`;
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
