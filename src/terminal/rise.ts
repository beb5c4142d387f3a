/** Since when it is so much, below the answer to a series. */
import { isLive, printQuestion, type Question, type ResultTable, ratesOf, riseOf } from '../query/index.ts';
import { paint, type TableTextOptions, timeText } from './table.ts';

const BOLD = 1;
/** Where a step is longer, another question tells more exactly when it began. */
const EXACT_MS = 60_000;
/** Steps before and behind the begin that this question asks for; it then has steps of a sixtieth of these. */
const CLOSER = 2;

/** The stretch of a series that stands out, and the question that tells more exactly when it began; nothing where none does. */
export function formatRise(question: Question, table: ResultTable, options: TableTextOptions): string {
  // Flows are counted anew in each step: they do not add up.
  if (question.ask !== 'series' || question.quantity === 'flows') return '';
  const rise = riseOf(ratesOf(table, question.quantity));
  if (!rise) return '';
  const { fromMs, toMs, times, stepMs } = rise;
  const zone = options.timeZone;
  const factor = Number.isFinite(times) ? `× ${times < 10 ? times.toFixed(1) : Math.round(times)}` : 'only';
  const until = toMs === undefined ? '' : ` until ${timeText(toMs, zone)}`;
  const lines = [paint(`${factor} since ${timeText(fromMs, zone)}${until}`, BOLD, options)];
  if (!isLive(question) && stepMs > EXACT_MS) {
    const { stepMs: _, ...rest } = question;
    const span = {
      fromMs: fromMs - CLOSER * stepMs,
      toMs: Math.min(question.toMs, fromMs + CLOSER * stepMs),
    };
    lines.push(`more exactly: ${printQuestion({ ...rest, ...span })}`);
  }
  return `${lines.join('\n')}\n`;
}
