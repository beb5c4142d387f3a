/** What systemd is told. */
import { spawn } from 'node:child_process';

/** Under systemd with Type=notify: the service has started when it does its work, not before. */
export function tellSystemd(status: string): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  const child = spawn('systemd-notify', ['--ready', `--status=${status}`], { stdio: 'ignore' });
  child.on('error', () => undefined);
}
