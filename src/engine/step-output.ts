const kept = 20;

/**
 * Puts the output of one step together: chunks in, whole lines out. Keeps the last 20 lines for the report of a
 * failure. A carriage return draws a line again, so only what follows the last one counts.
 */
export interface StepOutput {
  write(chunk: Uint8Array | string): void;
  /** Gives out a last line that has no newline. */
  end(): void;
  readonly last: readonly string[];
}

export function stepOutput(onLine: (line: string) => void): StepOutput {
  const decoder = new TextDecoder();
  const last: string[] = [];
  let pending = '';
  const give = (raw: string) => {
    const line = raw.replace(/\r+$/, '');
    const shown = line.slice(line.lastIndexOf('\r') + 1);
    last.push(shown);
    if (last.length > kept) last.shift();
    onLine(shown);
  };
  return {
    write(chunk) {
      pending += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) give(line);
    },
    end() {
      pending += decoder.decode();
      if (pending !== '') give(pending);
      pending = '';
    },
    last,
  };
}
