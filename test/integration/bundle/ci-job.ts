import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, runBundle } from '../../../demo/workspace.ts';

/** One job of a CI: its workspace, and the environment that its host sets for every step. */
export interface Job {
  readonly workspace: string;
  /** Runs one step as this host starts it, with these settings (kebab-case names). */
  step(settings: Readonly<Record<string, string>>, options?: StepOptions): Promise<StepEnd>;
}

export interface StepOptions {
  readonly node?: string;
  /** What a script of the job types behind the program's name. */
  readonly args?: readonly string[];
}

export interface StepEnd extends Ended {
  /** What the host would hand to later steps. */
  readonly outputs: Readonly<Record<string, string>>;
  /** GitHub's job summary of this step. */
  readonly summary: string;
  readonly lastLine: string;
}

type Variables = Readonly<Record<string, string>>;

function recordedEvent(name: string): { env: Variables; payload?: unknown } {
  return JSON.parse(readFileSync(new URL(`../../fixtures/events/${name}.json`, import.meta.url), 'utf8'));
}

function ended(end: Ended, outputs: Record<string, string>, summary = ''): StepEnd {
  return { ...end, outputs, summary, lastLine: end.output.trimEnd().split('\n').at(-1) ?? '' };
}

/** A job of GitHub Actions from a recorded event; `change` adapts variables and payload to the repository at hand. */
export function githubJob(
  event: string,
  workspace: string,
  env: Variables,
  change: { readonly env?: Variables; readonly payload?: (payload: Record<string, unknown>) => void } = {},
): Job {
  const { env: recorded, payload } = recordedEvent(event);
  change.payload?.(payload as Record<string, unknown>);
  const temp = mkdtempSync(join(tmpdir(), 'knowngood-job-'));
  const eventPath = join(temp, 'event.json');
  writeFileSync(eventPath, JSON.stringify(payload));
  let steps = 0;
  return {
    workspace,
    async step(settings, { args = [], ...options } = {}) {
      const folder = join(temp, String(++steps));
      mkdirSync(folder);
      const files = Object.fromEntries(
        ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH'].map((name) => {
          const path = join(folder, name);
          writeFileSync(path, '');
          return [name, path] as const;
        }),
      );
      const inputs = Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [
          `INPUT_${name.toUpperCase().replaceAll(' ', '_')}`,
          value,
        ]),
      );
      const end = await runBundle(args, {
        cwd: workspace,
        env: {
          ...env,
          ...recorded,
          GITHUB_EVENT_PATH: eventPath,
          GITHUB_WORKSPACE: workspace,
          ...files,
          ...inputs,
          ...change.env,
        },
        ...options,
      });
      return ended(
        end,
        readOutputFile(files.GITHUB_OUTPUT!),
        readFileSync(files.GITHUB_STEP_SUMMARY!, 'utf8'),
      );
    },
  };
}

/** GitHub's `name<<delimiter` blocks. */
function readOutputFile(path: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [, name, , value] of readFileSync(path, 'utf8').matchAll(
    /^([^\n<]+)<<(\S+)\n([\s\S]*?)\n\2$/gm,
  )) {
    outputs[name!] = value!;
  }
  return outputs;
}

/** `outputs.env`, as a later step that sources it would see it. */
export function readOutputsEnv(workspace: string): Record<string, string> {
  const text = readFileSync(join(workspace, 'knowngood-out', 'outputs.env'), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^(KNOWNGOOD_[A-Z0-9_]+)='((?:[^']|'\\'')*)'$/gm)].map(([, name, value]) => [
      name!,
      value!.replaceAll("'\\''", "'"),
    ]),
  );
}

/** A pipeline of Drone or Woodpecker on this machine (not in a container), from a recorded event. */
export function pluginJob(event: string, workspace: string, env: Variables, change: Variables = {}): Job {
  const { env: recorded } = recordedEvent(event);
  return {
    workspace,
    async step(settings, { args = [], ...options } = {}) {
      const plugin = Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [
          `PLUGIN_${name.toUpperCase().replaceAll('-', '_')}`,
          value,
        ]),
      );
      const end = await runBundle(args, {
        cwd: workspace,
        env: {
          ...env,
          ...recorded,
          DRONE_WORKSPACE: workspace,
          CI_WORKSPACE: workspace,
          ...plugin,
          ...change,
        },
        ...options,
      });
      return ended(end, readOutputsEnv(workspace));
    },
  };
}
