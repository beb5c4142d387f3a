/** Prints the programs at both tcx hooks of INTERFACE, in the namespace it is run in, as JSON. */
import { execFileSync } from 'node:child_process';
import { tcxPrograms } from '../src/bpf/index.ts';

const [link] = JSON.parse(
  execFileSync('ip', ['-j', 'link', 'show', process.argv[2]!], { encoding: 'utf8' }),
) as [{ ifindex: number }];
const place = (direction: 'ingress' | 'egress') => tcxPrograms({ ifindex: link.ifindex, direction });
process.stdout.write(JSON.stringify([...place('ingress'), ...place('egress')]));
