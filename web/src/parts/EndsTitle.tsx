import { calledAddress } from '../name-words.ts';
import { useNaming } from '../naming.ts';
import type { Cell } from '../result.ts';

/** One end of a flow, connection or tunnel. */
interface End {
  readonly address: Cell | undefined;
  readonly port?: Cell | undefined;
}

/** Both ends by their names, and below that by their addresses where these are others. */
export function EndsTitle({
  from,
  to,
  sign,
}: {
  readonly from: End;
  readonly to: End;
  readonly sign: '→' | '⇄';
}) {
  const naming = useNaming([from, to].flatMap(({ address }) => (address == null ? [] : [String(address)])));
  const words = (nameOf: (address: string) => string): string =>
    [from, to].map((end) => endWords(end, nameOf)).join(` ${sign} `);
  const plain = words((address) => address);
  const named = words((address) => calledAddress(address, naming));
  if (named === plain) return <>{plain}</>;
  return (
    <>
      <bdi>{named}</bdi>
      <span className="also">{plain}</span>
    </>
  );
}

function endWords({ address, port }: End, nameOf: (address: string) => string): string {
  if (address == null) return 'no address';
  const words = nameOf(String(address));
  return port == null ? words : `${words.includes(':') ? `[${words}]` : words}:${port}`;
}
