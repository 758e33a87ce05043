import type { Progress } from '../engine/engine.ts';
import type { HostName, Log } from '../hosts/host.ts';

export interface ProgressOptions {
  readonly log: Log;
  readonly host: HostName;
  readonly now: () => number;
}

/** Shows the progress of builds, pushes and pulls. `end` shows what is still held back and stops the clock. */
export interface ProgressView {
  readonly take: (progress: Progress) => void;
  end(): void;
}

/** A log that shows nothing for longer looks like a job that hangs, and some hosts end such jobs. */
const longestSilenceMs = 9_000;
/** Lines of one step that are held back until it is finished; more than that are shown as they come. */
const heldLines = 400;

interface Running {
  readonly step: string;
  readonly since: number;
  lines: string[];
  /** Some of its output is shown already. */
  begun: boolean;
}

/**
 * One line for each finished step with its time and whether it was cached, its output under it: steps of a build
 * run at the same time, and their output would otherwise be mixed. A step that takes long shows its output so far.
 */
export function showProgress({ log, host, now }: ProgressOptions): ProgressView {
  const running = new Map<string, Running>();
  const finished = new Set<string>();
  let lastShown = now();
  const grouped = host === 'github';

  const show = (title: string, lines: readonly string[]) => {
    lastShown = now();
    if (lines.length === 0) {
      log.info(title);
    } else if (grouped) {
      log.group(title);
      log.foreign(lines.join('\n'));
      log.endGroup();
    } else {
      log.info(title);
      log.foreign(lines.map((line) => `  ${line}`).join('\n'));
    }
  };
  const flush = (one: Running) => {
    show(`${one.step} … ${seconds(now() - one.since)}`, one.lines);
    one.lines = [];
    one.begun = true;
  };
  const tick = () => {
    const longest = [...running.values()].at(0);
    if (longest) log.draw(`${longest.step} … ${seconds(now() - longest.since)}`);
    if (now() - lastShown < longestSilenceMs) return;
    const withLines = [...running.values()].filter((one) => one.lines.length > 0);
    for (const one of withLines) flush(one);
    if (withLines.length > 0) return;
    // On a terminal the drawn line is enough.
    if (longest && !log.live) flush(longest);
    else if (!log.live) show('Still waiting …', []);
  };
  const timer = setInterval(tick, log.live ? 200 : 1_000);
  timer.unref();

  return {
    take({ step: name, status, ms, cached, line }) {
      const step = name.replace(/\s+/g, ' ').slice(0, 200);
      const one = running.get(step) ?? { step, since: now(), lines: [], begun: false };
      if (status === 'started') {
        running.set(step, one);
        if (line !== undefined) one.lines.push(line);
        if (one.lines.length >= heldLines) flush(one);
        return;
      }
      running.delete(step);
      if (line !== undefined) one.lines.push(line);
      if (status === 'done' && one.lines.length === 0 && isInternal(step)) return;
      // BuildKit takes a finished step up again to say that it is cached: people need no second line for it.
      if (status === 'done' && one.lines.length === 0 && cached && finished.has(step) && /^\[/.test(step))
        return;
      finished.add(step);
      const how = status === 'failed' ? 'failed' : cached ? 'cached' : '';
      const time = ms === undefined || cached ? '' : seconds(ms);
      show([step, how, time].filter((part) => part !== '').join('  '), one.lines);
    },
    end() {
      clearInterval(timer);
      log.draw('');
      for (const one of running.values()) if (one.lines.length > 0) flush(one);
      running.clear();
    },
  };
}

/** What builders do for themselves: not a step of a Dockerfile, and not worth a line unless it fails. */
function isInternal(step: string): boolean {
  return /^(?:\[internal\]|copy \/context|resolve image config|exporting |importing |unpacking |resolving provenance )/.test(
    step,
  );
}

/** `0.4 s`, `12.3 s`, `3 min 4 s`. */
function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
