/**
 * Guides as they are read: steps that are typed at a prompt, with the lines that matter of what comes, and files that are
 * written. Whoever follows one types exactly this.
 *
 *     ```console                      ```yaml bridge.yaml
 *     $ tunnelscope status            segments: …
 *     "default" meters …              ```
 *     host2$ ping …
 *     ```
 *
 * A prompt with a name is another machine's. Shown lines are to come in their order, others may stand between them; `…` is
 * any text or none, white space of any width is equal.
 */

/** A command, at which machine's prompt, and what it shows. */
export interface Typed {
  readonly kind: 'typed';
  readonly machine: string;
  readonly command: string;
  readonly shown: readonly string[];
}

/** A file in the directory where the commands are typed. */
export interface Written {
  readonly kind: 'written';
  readonly name: string;
  readonly content: string;
}

/** What to do next. */
export type Step = Typed | Written;

/** Reads the steps. @throws Error at a block of code that is neither commands nor a file with a name */
export function stepsOf(guide: string): Step[] {
  const steps: Step[] = [];
  let fence: string | undefined;
  let inside: string[] = [];
  for (const line of guide.split('\n')) {
    const mark = /^```(.*)$/.exec(line)?.[1];
    if (mark === undefined) {
      if (fence !== undefined) inside.push(line);
      else if (/^( {4}|\t)\S/.test(line)) throw new Error(`a command outside of a console block: ${line}`);
    } else if (fence === undefined) {
      fence = mark;
      inside = [];
    } else {
      steps.push(...blockSteps(fence, inside));
      fence = undefined;
    }
  }
  return steps;
}

function blockSteps(fence: string, lines: readonly string[]): Step[] {
  if (fence === 'console') return typedSteps(lines);
  const [, name] = /^[a-z]+ (\S+)$/.exec(fence) ?? [];
  if (name === undefined) throw new Error(`a block of code that is neither console nor a file: ${fence}`);
  return [{ kind: 'written', name, content: `${lines.join('\n')}\n` }];
}

function typedSteps(lines: readonly string[]): Typed[] {
  const steps: { kind: 'typed'; machine: string; command: string; shown: string[] }[] = [];
  for (const line of lines) {
    const [, machine, command] = /^([a-z][a-z0-9]*)?\$ (.+)$/.exec(line) ?? [];
    const last = steps.at(-1);
    if (command !== undefined) steps.push({ kind: 'typed', machine: machine ?? '', command, shown: [] });
    else if (!last) throw new Error(`output without a command: ${line}`);
    else if (last.shown.length === 0 && last.command.endsWith('\\'))
      last.command = `${last.command.slice(0, -1)}${line.trim()}`;
    else if (line.trim() !== '') last.shown.push(line);
  }
  return steps;
}

/** The first shown line that is not there, in order; undefined when all are. */
export function missingLine(shown: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').map(narrow);
  let from = 0;
  for (const line of shown) {
    const pattern = new RegExp(
      `^${narrow(line).replace(/ …$/, '…').split('…').map(RegExp.escape).join('.*')}$`,
    );
    const at = lines.findIndex((each, i) => i >= from && pattern.test(each));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}

function narrow(line: string): string {
  return line.trim().replace(/\s+/g, ' ');
}
