/** Alerts, as they are told to who runs the agent. */
import type { AgentListener } from '../agent.ts';
import type { Teller } from './running.ts';

/** Tells once what fires, once what is over, and once what no webhook takes. */
export function alertListener(teller: Teller): NonNullable<AgentListener['alerts']> {
  return {
    changed(line, { state, group, value, definition: { name, threshold } }) {
      const severity = state === 'firing' ? 'warn' : 'info';
      teller.say(severity, line, { alert: name, state, group, value, threshold });
    },
    failing: (host, why) =>
      teller.say('warn', `Problem: posting alerts to ${host} failed: ${why}`, { webhook: host }),
    recovered: (host) => teller.say('info', `Alerts are posted to ${host} again`, { webhook: host }),
  };
}
