/** Defaults that the help of several commands says too. */
export const DEFAULT = {
  interval: '1s',
  flows: '131072',
  hook: 'auto',
  listen: '127.0.0.1:8080',
  jsonPeriod: '5s',
} as const;
