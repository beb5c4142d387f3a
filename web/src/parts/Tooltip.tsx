import { useEffect, useRef } from 'react';
import type { Hover } from '../hover.ts';
import { chordAngles } from '../layout/chord.ts';
import type { Arc, Matrix } from '../layout/fold.ts';
import type { Naming } from '../names.ts';
import type { Units } from '../question.ts';
import type { Paint } from '../segments.ts';
import { amount, arcFullName, arcName, pairBlocks, percent } from '../words.ts';
import { Amount } from './Amount.tsx';
import { SegmentText } from './Named.tsx';
import { Swatch } from './Paints.tsx';

/** Another span beside the one that is drawn. */
export interface Versus {
  readonly matrix: Matrix;
  readonly windowSeconds: number;
  /** Which one it is. */
  readonly words: string;
}

interface TooltipProps {
  readonly hover: Hover | undefined;
  readonly matrix: Matrix;
  readonly versus: Versus | undefined;
  readonly total: number;
  readonly units: Units;
  readonly windowSeconds: number;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly naming: Naming;
  readonly arcAction: string | undefined;
}

/** The numbers of what is pointed at, beside the pointer (or the focus). */
export function Tooltip(props: TooltipProps) {
  const { hover } = props;
  const box = useRef<HTMLDivElement>(null);
  const shows = hover && hover.kind !== 'segment' && hover.by === 'picture';
  useEffect(() => {
    if (!shows) return;
    const move = (x: number, y: number): void => {
      const element = box.current;
      if (!element) return;
      const { width, height } = element.getBoundingClientRect();
      const left = x + 18 + width > innerWidth ? x - 18 - width : x + 18;
      const top = y + 18 + height > innerHeight ? y - 18 - height : y + 18;
      element.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
    };
    const follow = (event: PointerEvent): void => move(event.clientX, event.clientY);
    const focused = document.activeElement?.closest('g.arc:focus-visible');
    if (focused) {
      const { x, y, width, height } = focused.getBoundingClientRect();
      move(x + width / 2, y + height / 2);
    } else move(lastPointer.x, lastPointer.y);
    window.addEventListener('pointermove', follow);
    return () => window.removeEventListener('pointermove', follow);
  }, [shows]);
  return (
    <div ref={box} className="tooltip" data-testid="tooltip" role="tooltip" hidden={!shows}>
      {shows && <Content {...props} hover={hover} />}
    </div>
  );
}

const lastPointer = { x: 0, y: 0 };
if (typeof window !== 'undefined') {
  window.addEventListener('pointermove', (event) => {
    lastPointer.x = event.clientX;
    lastPointer.y = event.clientY;
  });
}

function Content({
  hover,
  matrix,
  versus,
  total,
  units,
  windowSeconds,
  paints,
  naming,
  arcAction,
}: TooltipProps & { hover: Hover }) {
  if (hover.kind === 'pair') {
    const pair = matrix.pairs.find((one) => one.id === hover.id);
    if (!pair) return <p className="quiet">Nothing any more in this window.</p>;
    return (
      <>
        {pairBlocks(pair, matrix, { total, units, windowSeconds, naming }).map((block) => (
          <div key={`${block.from}~${block.to}`} className="block" data-testid="tooltip-block">
            <p>
              <bdi className="mono">{block.to}</bdi> received from <bdi className="mono">{block.from}</bdi>:{' '}
              <strong>{block.none ? 'nothing' : <Amount quantity={block.received} />}</strong>
            </p>
            {block.lines.map((line) => (
              <p key={line} className="quiet">
                {line}
              </p>
            ))}
          </div>
        ))}
        <Also arcs={[matrix.arcs[pair.a]!, matrix.arcs[pair.b]!]} naming={naming} />
        <Parts
          paints={paints}
          parts={pair.bands.map((band) => ({ segment: band.segment, octets: band.forward + band.backward }))}
          say={(octets) => amount(octets, units, windowSeconds)}
        />
        {versus && <VersusBlock {...versus} octets={octetsOfPair(versus, hover.id)} units={units} />}
        <p className="hint">Click shows its flows</p>
      </>
    );
  }
  const index = matrix.arcs.findIndex((one) => one.id === hover.id);
  const arc = matrix.arcs[index];
  if (!arc) return <p className="quiet">Nothing any more in this window.</p>;
  const action = arc.node ? arcAction : arc.count > 0 ? 'opens them' : undefined;
  const { isSlight } = chordAngles(matrix).arcs[index]!;
  const parts = new Map<string, number>();
  let peers = 0;
  for (const pair of matrix.pairs) {
    if (pair.a !== index && pair.b !== index) continue;
    peers++;
    for (const band of pair.bands) {
      parts.set(band.segment, (parts.get(band.segment) ?? 0) + band.forward + band.backward);
    }
  }
  return (
    <>
      <div className="block">
        <p className="mono strong">
          <bdi>{arcFullName(arc, naming)}</bdi>
        </p>
        <Also arcs={[arc]} naming={naming} />
        <p>
          sent <Amount quantity={amount(arc.sent, units, windowSeconds)} />
          <span className="quiet"> · {percent(arc.sent, total)} of all</span>
        </p>
        <p>
          received <Amount quantity={amount(arc.received, units, windowSeconds)} />
          <span className="quiet"> · {percent(arc.received, total)} of all</span>
        </p>
        <p className="quiet">
          {peers} {peers === 1 ? 'peer' : 'peers'}
        </p>
        {isSlight && <p className="quiet">Hollow: sends too little to be seen by its length</p>}
      </div>
      <Parts
        paints={paints}
        parts={[...parts].map(([segment, octets]) => ({ segment, octets }))}
        say={(octets) => amount(octets, units, windowSeconds)}
      />
      {versus && arc.node && <VersusBlock {...versus} octets={octetsOfArc(versus, arc.id)} units={units} />}
      {action && <p className="hint">Click {action}</p>}
    </>
  );
}

/** The addresses of what is called by name, and the networks that have a name. */
function Also({ arcs, naming }: { readonly arcs: readonly Arc[]; readonly naming: Naming }) {
  const [a, b = a] = arcs;
  if (!a || !b || arcs.every((arc) => !arc.node || !naming.address(arc.node.address))) return null;
  const words = (a === b ? [a] : [a, b]).map((arc) => {
    const name = arc.node && naming.address(arc.node.address);
    return name?.network === undefined ? arcName(arc) : `${arcName(arc)} in ${name.network}, ${name.name}`;
  });
  return <p className="mono also">{words.join(' ⇄ ')}</p>;
}

function octetsOfPair({ matrix }: Versus, id: string): number {
  const pair = matrix.pairs.find((one) => one.id === id);
  return pair ? pair.forward + pair.backward : 0;
}

function octetsOfArc({ matrix }: Versus, id: string): number {
  const arc = matrix.arcs.find((one) => one.id === id);
  return arc ? arc.sent + arc.received : 0;
}

/** Both ways together in the span that is compared with. */
function VersusBlock(props: Versus & { readonly octets: number; readonly units: Units }) {
  const { words, octets, units, windowSeconds } = props;
  return (
    <div className="block" data-testid="tooltip-versus" data-octets={octets}>
      <p className="quiet">
        {words}: <Amount quantity={amount(octets, units, windowSeconds)} /> sent and received
      </p>
    </div>
  );
}

interface PartsProps {
  readonly parts: readonly { readonly segment: string; readonly octets: number }[];
  readonly paints: ReadonlyMap<string, Paint>;
  readonly say: (octets: number) => ReturnType<typeof amount>;
}

const PARTS_SHOWN = 6;

function Parts({ parts, paints, say }: PartsProps) {
  const sorted = [...parts].sort((x, y) => y.octets - x.octets);
  const more = sorted.length - PARTS_SHOWN;
  return (
    <ul className="parts">
      {sorted.slice(0, PARTS_SHOWN).map((part) => (
        <li key={part.segment}>
          <Swatch paints={paints} segment={part.segment} /> <SegmentText segment={part.segment} />
          <Amount quantity={say(part.octets)} />
        </li>
      ))}
      {more > 0 && <li className="quiet">and {more} more segments</li>}
    </ul>
  );
}
