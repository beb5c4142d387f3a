/** All alerts of an agent: asked after each epoch, told to a log, to webhooks, to the API and to Prometheus. */
import type { GroupQuestion, GroupSums } from '../live/index.ts';
import { type Family, gauge, labelText } from '../metrics/index.ts';
import type { AlertDefinition, Alerts } from '../query/index.ts';
import { Alert, type AlertChange } from './alert.ts';
import { Webhook, type WebhookLimits, type WebhookListener } from './webhook.ts';
import { type AlertOrigin, changeDocument, changeText } from './words.ts';

/** Who knows what uniflows come to: the live view. */
export interface GroupSource {
  groupSums(questions: readonly GroupQuestion[]): GroupSums[];
}

/** Who is told. */
export interface AlertListener extends WebhookListener {
  /** Something has begun to fire, or is over. @param line says it to people */
  changed(line: string, change: AlertChange): void;
}

/** How alerts are watched. */
export interface AlertWatchOptions {
  readonly definitions: readonly AlertDefinition[];
  readonly origin: AlertOrigin;
  readonly listener: AlertListener;
  readonly limits?: Partial<WebhookLimits>;
  /** Unix epoch, milliseconds. */
  readonly clock?: () => number;
  /** Milliseconds, only forward. */
  readonly steadyClock?: () => number;
}

/** Watches alerts until it is disposed. */
export class AlertWatch implements Disposable {
  readonly #options: AlertWatchOptions;
  readonly #clock: () => number;
  readonly #steadyClock: () => number;
  #alerts: readonly Alert[] = [];
  /** By address. Some have only to post what they were given before. */
  readonly #webhooks = new Map<string, Webhook>();
  #atMs: number | null = null;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#steadyClock = options.steadyClock ?? (() => performance.now());
    this.change(options.definitions);
  }

  /** Watches other alerts from now on. Those that ask the same as before stand as they stood. */
  change(definitions: readonly AlertDefinition[]): void {
    const former = new Map(this.#alerts.map((alert) => [identityOf(alert.definition), alert]));
    const nowMs = this.#clock();
    const next = definitions.map((definition) => {
      const identity = identityOf(definition);
      const known = former.get(identity);
      former.delete(identity);
      return known?.tellTo(definition.webhook) ?? new Alert(definition, nowMs);
    });
    const now = { atMs: nowMs, steadyMs: this.#steadyClock() };
    for (const alert of former.values()) for (const change of alert.end(now)) this.#tell(change);
    this.#alerts = next;
    this.#dropWebhooks();
  }

  /** Takes an epoch, which the source has. @param atMs its end */
  evaluate(source: GroupSource, atMs: number): void {
    this.#atMs = atMs;
    if (this.#alerts.length === 0) return;
    const now = { atMs, steadyMs: this.#steadyClock() };
    const sums = source.groupSums(this.#alerts.map(({ question }) => question));
    for (const [i, alert] of this.#alerts.entries())
      for (const change of alert.take(sums[i]!, now)) this.#tell(change);
    this.#dropWebhooks();
  }

  /** How all stand. */
  status(): Alerts {
    return {
      atMs: this.#atMs,
      alerts: this.#alerts.map((alert) => {
        const { webhook } = alert.definition;
        return {
          ...alert.status(),
          webhook: webhook === undefined ? null : this.#webhookAt(webhook).status,
        };
      }),
    };
  }

  /** For Prometheus; none without alerts. */
  families(): Family[] {
    if (this.#alerts.length === 0) return [];
    return [
      gauge(
        'alert_firing',
        'Groups of an alert that fire; 1 or 0 where it tells none apart.',
        this.#alerts.map(({ definition, firing }) => ({
          labels: labelText({ alert: definition.name }),
          value: firing,
        })),
      ),
    ];
  }

  /** What is not posted by now is not. */
  [Symbol.dispose](): void {
    for (const webhook of this.#webhooks.values()) webhook[Symbol.dispose]();
  }

  #tell(change: AlertChange): void {
    const { origin, listener } = this.#options;
    listener.changed(changeText(change), change);
    const { webhook } = change.definition;
    if (webhook !== undefined) this.#webhookAt(webhook).post(changeDocument(change, origin));
  }

  #webhookAt(address: string): Webhook {
    const known = this.#webhooks.get(address);
    if (known) return known;
    const webhook = new Webhook(address, this.#options.listener, this.#options.limits);
    this.#webhooks.set(address, webhook);
    return webhook;
  }

  /** Those that no alert names go when they have nothing to do any more. */
  #dropWebhooks(): void {
    const named = new Set(this.#alerts.map(({ definition }) => definition.webhook));
    for (const [address, webhook] of this.#webhooks)
      if (!named.has(address) && webhook.isIdle) this.#webhooks.delete(address);
  }
}

/** What an alert asks, whoever is told. */
function identityOf({ webhook: _, filter: __, ...asked }: AlertDefinition): string {
  return JSON.stringify(asked);
}
