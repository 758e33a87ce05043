import { randomUUID } from 'node:crypto';
import type { Finding } from '../outcome.ts';
import { inert, inertLines } from '../untrusted/text.ts';
import type { Log } from './host.ts';
import { createMask, type Mask } from './mask.ts';

/** How a host's log wants things written. */
export interface LogStyle {
  group(title: string): string;
  endGroup(): string | undefined;
  finding(finding: Finding, text: string): string;
  /** What stands before and after foreign text; the token is new for every block. */
  around?(token: string): readonly [before: string, after: string];
  /** Last word on one of our own lines, where a line could mean something to the host. */
  line?(text: string): string;
}

export interface LogOptions {
  readonly write: (text: string) => void;
  readonly style: LogStyle;
  readonly verbose: boolean;
  readonly live: boolean;
  readonly mask?: Mask;
  /** Called for each secret, where the host masks too. */
  readonly onMask?: (secret: string) => void;
}

/** The one way text reaches a log. Order matters: redact first, then make inert, then frame. */
export function createLog(options: LogOptions): Log {
  const { style, verbose, live, mask = createMask(), onMask } = options;
  let drawn = false;
  const write = (text: string): void => {
    // Carriage return and "erase line": what was drawn makes room for what stays.
    if (drawn) options.write('\r\u001b[2K');
    drawn = false;
    options.write(text);
  };
  const own = (text: string): void => {
    for (const line of inertLines(mask.redact(text))) write(`${style.line?.(line) ?? line}\n`);
  };
  return {
    live,
    info: own,
    detail: (text) => {
      if (verbose) own(text);
    },
    finding: (finding) => {
      const { message, remedy, at } = finding;
      // Text by text: a secret that is a word of ours, or a quote, must not change what the finding is.
      const clean: Finding = {
        ...finding,
        message: mask.redact(message),
        remedy: mask.redact(remedy),
        ...(at === undefined ? {} : { at: { ...at, file: mask.redact(at.file) } }),
      };
      write(`${style.finding(clean, inertLines(findingText(clean)).join('\n  '))}\n`);
    },
    foreign: (text) => {
      const lines = inertLines(mask.redact(text));
      const frame = style.around?.(randomUUID());
      if (frame !== undefined) write(`${frame[0]}\n`);
      for (const line of lines) write(`${line}\n`);
      // The newline before the end token is part of the frame: output may end without one.
      if (frame !== undefined) write(`\n${frame[1]}\n`);
    },
    group: (title) => write(`${style.group(inert(mask.redact(title)))}\n`),
    endGroup: () => {
      const end = style.endGroup();
      if (end !== undefined) write(`${end}\n`);
    },
    mask: (secret) => {
      mask.add(secret);
      onMask?.(secret);
    },
    draw: (text) => {
      if (!live || (text === '' && !drawn)) return;
      write(inert(mask.redact(text)).replaceAll('\n', ' ').slice(0, 100));
      drawn = text !== '';
    },
    redact: (text) => mask.redact(text),
    redactStream: () => mask.stream(),
  };
}

/**
 * `compose.yml:12:9 pin-behind: app is 3.0.0, the release is 3.0.1. Write app:3.0.1.` Lines of a message, as the last
 * ones of a build, stay lines; all but the first are indented, so that none can pass for a line of ours.
 */
function findingText({ code, message, remedy, at }: Finding): string {
  const place =
    at === undefined ? '' : `${[at.file, at.line, at.column].filter((p) => p !== undefined).join(':')} `;
  const text = `${place}${code}: ${message}`.trim();
  return `${text}${text.includes('\n') ? '\n' : ' '}${remedy.replaceAll('\n', ' ')}`.trim();
}

/** A log that people read as it is: Drone, Woodpecker, a pipe. */
export const plainStyle: LogStyle = {
  group: (title) => `── ${title}`,
  endGroup: () => undefined,
  finding: ({ level }, text) => `${level === 'info' ? 'note' : level}: ${text}`,
};
