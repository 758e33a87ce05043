import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { comment } from '../../../src/reasons/comment.ts';
import { mostAsked } from '../../../src/rules/admission.ts';
import { stepOutputs } from '../../../src/settings/outputs.ts';
import { settingsTable } from '../../../src/settings/schema.ts';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/testme.md'), 'utf8');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly id?: string;
  readonly with?: Record<string, string>;
  readonly settings?: Record<string, unknown>;
  readonly when?: { readonly status?: readonly string[] };
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly permissions: Record<string, string>;
  readonly outputs?: Record<string, string>;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: { readonly issue_comment: { readonly types: readonly string[] } };
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

const texts = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
const workflows = texts.map((text) => parse(text) as Workflow);

describe('the workflows of docs/testme.md', () => {
  it.each(texts.map((text) => [text]))('start from nothing and give each permission a reason', (text) => {
    const { permissions, jobs, on } = parse(text) as Workflow;
    expect(permissions).toEqual({});
    expect(on.issue_comment.types).toEqual(['created']);
    for (const job of Object.values(jobs)) {
      for (const [name, right] of Object.entries(job.permissions)) {
        expect(text).toMatch(new RegExp(`^      ${name}: ${right} # \\S`, 'm'));
      }
    }
  });

  it('never let a text of the event into a script', () => {
    for (const text of texts) {
      expect(text).not.toMatch(/^\s*-?\s*run:/m);
      expect(text).not.toMatch(/\$\{\{[^}]*(comment\.body|title|head\.ref|head_ref|login)/);
    }
  });

  it('have foreign code in a job without any right to write and without secrets', () => {
    const { test } = workflows[0]!.jobs;
    expect(test!.permissions).toEqual({ contents: 'read' });
    expect(texts[0]).not.toContain('secrets.');
    expect(test!.concurrency).toMatchObject({ 'cancel-in-progress': true });
  });

  it('check out nothing that the pull request wrote', () => {
    for (const { jobs } of workflows) {
      const checkouts = Object.values(jobs)
        .flatMap(({ steps }) => steps)
        .filter(({ uses }) => uses?.startsWith('actions/checkout@') === true);
      for (const { with: given } of checkouts) expect(given).toEqual({ 'persist-credentials': false });
    }
  });

  it('report whatever became of the test job', () => {
    const { report } = workflows[0]!.jobs;
    expect(report!.if).toMatch(/^always\(\) && /);
    expect(report!.steps.at(-1)!.with).toMatchObject({
      step: 'report',
      'job-result': '${{ needs.test.result }}',
    });
  });

  it('use settings and outputs that exist', () => {
    for (const { jobs } of workflows) {
      for (const { steps, outputs } of Object.values(jobs)) {
        for (const { uses, with: given } of steps) {
          if (!uses?.startsWith('knowngood/')) continue;
          for (const name of Object.keys(given ?? {})) expect(Object.keys(settingsTable)).toContain(name);
        }
        for (const value of Object.values(outputs ?? {})) {
          const name = /steps\.admit\.outputs\.([\w-]+)/.exec(value)![1]!;
          expect(Object.keys(stepOutputs.testme)).toContain(name);
        }
      }
    }
  });
});

describe('the pipeline of the plugin', () => {
  const text = readFileSync(join(root, 'drone-plugin/examples/testme.yml'), 'utf8');
  const { trigger, steps } = parse(text) as { trigger: { event: string[] }; steps: Step[] };

  it('runs for custom builds only, and names a secret in its last step only', () => {
    expect(trigger.event).toEqual(['custom']);
    const withSecrets = steps.filter((step) => JSON.stringify(step).includes('from_secret'));
    expect(withSecrets.map(({ name }) => name)).toEqual(['report']);
    expect(steps.at(-1)!.when!.status).toEqual(['success', 'failure']);
  });

  it('uses settings that exist, and sets none that the build’s parameters are', () => {
    for (const { settings = {} } of steps) {
      for (const name of Object.keys(settings)) {
        expect(Object.keys(settingsTable)).toContain(name.replaceAll('_', '-'));
        expect(['candidate', 'pull_request', 'arguments']).not.toContain(name);
      }
    }
  });
});

it('tells every code of a refusal, and the limits as they are', () => {
  const refusals = Object.entries(comment).filter(
    ([code, { class: kind }]) => kind === 'skip' && code !== 'not-testme',
  );
  for (const [code] of refusals) expect(page).toContain(`\`${code}\``);
  expect(page).toContain(`more than ${mostAsked.onPullRequest} commands an hour`);
  expect(page).toContain(`or ${mostAsked.byUser} of one person`);
});
