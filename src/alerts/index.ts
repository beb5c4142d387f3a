export type { AlertChange } from './alert.ts';
export { type AlertListener, AlertWatch } from './watch.ts';
export { WEBHOOK_LIMITS, type WebhookLimits } from './webhook.ts';
