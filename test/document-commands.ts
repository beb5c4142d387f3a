/** Commands as they stand in reference documents: lines of their own, indented, with a comment behind them or none. */

/** What is typed. */
const TYPED = /^ {4}((?:\.\/)?tunnelscope|systemctl|ip netns exec) (?<words>.*?)(?: {2,}#.*)?$/;

/** The commands of a document, in their order, each as it is typed. */
export function commandsOf(document: string): string[] {
  return document
    .split('\n')
    .map((line) => TYPED.exec(line))
    .filter((match) => match !== null)
    .map(([, program, words]) => `${program!.replace('./', '')} ${words}`);
}

/** The blocks of YAML of a document. */
export function yamlOf(document: string): string[] {
  return [...document.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, content]) => content!);
}

/** Those that go on until they are interrupted. */
export function isEndless(command: string): boolean {
  if (/^tunnelscope start /.test(command)) return !command.includes('--detached');
  return /^tunnelscope (monitor|measure|report|logs -f|demo|vnet \w+ run)\b/.test(command);
}
