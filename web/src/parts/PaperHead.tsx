import type { Status, StreamedView } from '../../../src/query/index.ts';
import { useMedia } from '../hooks.ts';
import type { Place } from '../question.ts';
import { stampWords } from '../result.ts';
import { segmentName } from '../segments.ts';
import { spanOf } from '../time-range.ts';
import { lengthWords, zoneWords } from '../time-words.ts';
import { trust, windowWords } from '../words.ts';
import { SIGHT_ENTRIES } from './sight.ts';

interface PaperHeadProps {
  readonly place: Place;
  readonly status: Status | undefined;
  /** Of the live view. */
  readonly view: StreamedView | undefined;
  readonly nowMs: number;
}

/** On paper alone: which host, which view, of what time and of which flows; a sheet says all of it by itself. */
export function PaperHead(props: PaperHeadProps) {
  return useMedia('print') && <Said {...props} />;
}

function Said({ place, status, view, nowMs }: PaperHeadProps) {
  const where = status && [status.hostname, status.namespace, ...status.interfaces.map(({ name }) => name)];
  return (
    <div className="paper-head" data-testid="paper-head">
      <p>
        <strong>Tunnelscope: {SIGHT_ENTRIES[place.sight]?.words}</strong>
        {where && ` of ${where.filter(Boolean).join(', ')}`}, {timeWords({ place, view, nowMs })}
      </p>
      <p>{questionWords(place).join(', ')}</p>
      <p>
        {view && `${trust(view.exactness).words} since the agent’s start, `}
        times of {zoneWords(nowMs)}, printed {stampWords(nowMs)}
      </p>
    </div>
  );
}

/** `2026-11-21 10:00:00 to 2026-11-21 11:00:00`; live `in the last 5 s, 2026-11-21 10:00:00`. */
function timeWords({ place, view, nowMs }: Omit<PaperHeadProps, 'status'>): string {
  if (place.time.kind === 'live')
    return view ? `${windowWords(view)} at ${stampWords(view.atMs)}` : 'no answer yet';
  const { fromMs, toMs } = spanOf(place.time, nowMs);
  const length = place.time.kind === 'last' ? ` (the last ${lengthWords(toMs - fromMs)})` : '';
  return `${stampWords(fromMs)} to ${stampWords(toMs)}${length}`;
}

/** Which flows are meant; all where nothing narrows them. */
function questionWords({ question, sheet, at }: Place): string[] {
  const { filter, segment, host, pair } = question;
  const words = [
    filter !== undefined && `where ${filter}`,
    segment !== 'all' && `segment ${segmentName(segment)}`,
    host !== undefined && `host ${host}`,
    pair !== undefined && `between ${pair.replace('~', ' and ')}`,
    sheet.by !== undefined && `by ${sheet.by}`,
    sheet.address !== undefined && `address ${sheet.address}`,
    sheet.in !== undefined && `in ${segmentName(sheet.in)}`,
    sheet.find !== undefined && `found by ${sheet.find}`,
    at !== undefined && `at ${at}`,
  ].filter((each) => each !== false);
  return words.length === 0 ? ['all flows'] : words;
}
