import type { KeyboardEvent, MouseEvent } from 'react';
import type { Box } from '../layout/box.ts';
import { MARKS_A_ROW, MOST_LINES } from '../layout/graph.ts';
import type { Card, CardLine } from '../network.ts';
import { cardTitle } from '../network-names.ts';
import { rateText } from '../network-words.ts';
import { type Paint, segmentName } from '../segments.ts';
import { SegmentName } from './Named.tsx';
import { Swatch } from './Paints.tsx';

interface CardProps {
  readonly card: Card;
  readonly box: Box;
  /** Its segments as marks only. */
  readonly isMarked: boolean;
  readonly isChosen: boolean;
  readonly isDim: boolean;
  readonly isStop: boolean;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly onChoose: () => void;
  /** A client's line was clicked. */
  readonly onOpen: (vids: readonly number[]) => void;
  readonly onFocus: () => void;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  readonly onPoint: (isPointed: boolean) => void;
}

/** A host: its name, its address, and what runs on it. A button that has the tables show this one alone. */
export function NetworkCard(props: CardProps) {
  const { card, box, isMarked, isChosen } = props;
  const isHost = card.kind === 'host';
  const shown = card.lines.slice(0, isMarked ? card.lines.length : MOST_LINES);
  const rest = card.lines.length - shown.length;
  const classes = ['card', card.kind, isChosen && 'chosen', props.isDim && 'dim'].filter(Boolean).join(' ');
  return (
    <button
      type="button"
      className={classes}
      data-testid="card"
      data-card={card.id}
      data-kind={card.kind}
      aria-pressed={isChosen}
      tabIndex={props.isStop ? 0 : -1}
      style={{ transform: `translate(${box.x}px, ${box.y}px)`, width: box.width, height: box.height }}
      title={isHost ? `${card.functions.join(', ')}: shows the tables of this host alone` : card.sub}
      onClick={props.onChoose}
      onFocus={props.onFocus}
      onKeyDown={props.onKeyDown}
      onPointerEnter={() => props.onPoint(true)}
      onPointerLeave={() => props.onPoint(false)}
    >
      <span className="card-title">{cardTitle(card)}</span>
      <span className="card-sub">{card.sub || card.functions.join(', ')}</span>
      {isMarked ? (
        <span className="card-marks" style={{ gridTemplateColumns: `repeat(${MARKS_A_ROW}, 11px)` }}>
          {shown.map(
            (line) =>
              line.segment && (
                <span key={line.id} title={`${segmentName(line.segment)}: ${line.left}, ${line.right}`}>
                  <Swatch paints={props.paints} segment={line.segment} />
                  <span className="unseen">{segmentName(line.segment)} </span>
                </span>
              ),
          )}
        </span>
      ) : (
        shown.map((line) => <Line key={line.id} line={line} paints={props.paints} onOpen={props.onOpen} />)
      )}
      {rest > 0 && <span className="card-line quiet">and {rest} more</span>}
    </button>
  );
}

interface LineProps extends Pick<CardProps, 'paints' | 'onOpen'> {
  readonly line: CardLine;
}

function Line({ line, paints, onOpen }: LineProps) {
  if (line.kind === 'segment' && line.segment)
    return (
      <span className="card-line">
        <Swatch paints={paints} segment={line.segment} />
        <span className="card-left">
          <SegmentName segment={line.segment} /> <span className="mono">{line.left}</span>
        </span>
        <span className="quiet">{line.right}</span>
      </span>
    );
  if (line.kind === 'head')
    return (
      <span className="card-line head quiet">
        <span className="card-left">{line.left}</span>
        <span>{line.right}</span>
      </span>
    );
  const { vids = [] } = line;
  const open = (event: MouseEvent): void => {
    event.stopPropagation();
    onOpen(vids);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: within a button, and the table has a link for each
    // biome-ignore lint/a11y/useKeyWithClickEvents: the same
    <span
      className={`card-line ${line.kind}${vids.length > 0 ? ' leads' : ''}`}
      data-testid={line.kind}
      title={vids.length > 0 ? 'shows its flows' : undefined}
      onClick={vids.length > 0 ? open : undefined}
    >
      <span className="line-end mono">
        {line.left}
        {line.leftMore && <span className="line-more">{line.leftMore}</span>}
      </span>
      <span className="cable-rate">
        <span>{rateText(line.octetRate)}</span>
      </span>
      <span className="mono">{line.right}</span>
    </span>
  );
}
