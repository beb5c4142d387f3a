/** The keeper of one lab, as a process of its own: `node keeper-process.ts PREFIX`. SIGTERM ends all it keeps, then itself. */
import { keepMembers } from './keeper.ts';
import { checkedPrefix, readMembers } from './record.ts';

const prefix = checkedPrefix(process.argv[2]);
const ending = new AbortController();
process.on('SIGTERM', () => ending.abort());
process.on('SIGINT', () => {}); // it is meant for whoever is in front
process.chdir('/');
await keepMembers(prefix, readMembers(prefix), ending.signal);
