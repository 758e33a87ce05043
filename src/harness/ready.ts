import type { ServiceState } from './containers.ts';
import { type Crash, crashIn, type Seen } from './crash.ts';
import { pause } from './deadline.ts';
import type { Deployment } from './deploy/deployment.ts';
import { execIn } from './exec.ts';
import type { ReadyPlan, TestPlan } from './plan.ts';
import { type Look, lookHttp, lookTcp } from './probe.ts';
import { type Address, addressOf } from './reach.ts';
import type { Site } from './site.ts';

export type Readiness =
  | { readonly kind: 'ready'; readonly states: readonly ServiceState[]; readonly seen: Seen }
  | { readonly kind: 'crashed'; readonly crash: Crash }
  /** The orchestrator took the release back, whatever runs now. */
  | { readonly kind: 'rolled-back'; readonly service: string; readonly why: string }
  | { readonly kind: 'not-ready'; readonly seen: string; readonly state: ServiceState | undefined };

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;
/** Where the recipe says no time. */
export const READY_MS = 120_000;

/**
 * Waits until the subject is ready, which is more than alive. A container that ends or restarts ends the wait at
 * once. Rejects with the signal's reason, and where the engine fails.
 */
export async function waitReady(
  site: Site,
  deployment: Deployment,
  phase: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Readiness> {
  const { plan } = site;
  const seen: Seen = new Map();
  const until = performance.now() + (plan.ready?.timeoutMs ?? READY_MS);
  let wait = FIRST_PAUSE;
  for (;;) {
    const states = await deployment.services(signal);
    followAll(site, states, phase);
    const update = await deployment.update(signal);
    if (update.kind === 'rolled-back') return update;
    const crash = crashIn(states, plan.target.service, seen);
    if (crash !== undefined) return { kind: 'crashed', crash };
    const look =
      update.kind === 'working'
        ? { ok: false, seen: 'it is still being updated' }
        : await lookAt(site, deployment, states, env, signal);
    if (look.ok) {
      // It may have ended while it was looked at: what counts is that it is there now.
      const after = await deployment.services(signal);
      const ended = crashIn(after, plan.target.service, seen);
      return ended === undefined ? { kind: 'ready', states: after, seen } : { kind: 'crashed', crash: ended };
    }
    const left = until - performance.now();
    if (left <= 0) {
      return { kind: 'not-ready', seen: look.seen, state: runningTarget(states, plan.target.service) };
    }
    await pause(Math.min(wait, left), signal);
    wait = Math.min(LONGEST_PAUSE, wait * 1.5);
  }
}

/** Containers come and go while an orchestrator works: each is followed from when it is first seen. */
export function followAll(site: Site, states: readonly ServiceState[], phase: string): void {
  for (const { id, container, service, tty } of states) {
    if (id !== '') site.logs.follow(site.docker, { id, name: container, service, tty }, phase);
  }
}

/** How readiness is judged: as the recipe says, else by the image's own HEALTHCHECK, else by the port, else by running. */
export function howReady(
  plan: TestPlan,
  states: readonly ServiceState[],
): ReadyPlan['how'] | { readonly kind: 'running' } {
  if (plan.ready !== undefined) return plan.ready.how;
  if (states.some(({ health }) => health !== undefined)) return { kind: 'healthcheck' };
  return plan.target.port === undefined ? { kind: 'running' } : { kind: 'tcp' };
}

/** With neither `ready`, `check` nor a HEALTHCHECK a run would prove nothing. */
export function canJudge(plan: TestPlan, states: readonly ServiceState[]): boolean {
  return (
    plan.ready !== undefined || plan.check.length > 0 || states.some(({ health }) => health !== undefined)
  );
}

export function runningTarget(states: readonly ServiceState[], service: string): ServiceState | undefined {
  return states.find(
    (state) => state.service === service && state.status === 'running' && state.replaced !== true,
  );
}

/** Where the target's port answers: as the deployment says, else where its container is. */
export function targetAddress(
  site: Pick<Site, 'where'>,
  deployment: Deployment,
  target: ServiceState | undefined,
  port: number,
): Address | undefined {
  const said = deployment.address?.();
  if (said !== undefined) return said;
  return target === undefined ? undefined : addressOf(site.where, target, deployment.networks(), port);
}

async function lookAt(
  site: Site,
  deployment: Deployment,
  states: readonly ServiceState[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Look> {
  const { plan } = site;
  const target = runningTarget(states, plan.target.service);
  const how = howReady(plan, states);
  // A deployment of the recipe's own commands may show us an address and no container.
  if (target === undefined && deployment.address?.() === undefined)
    return { ok: false, seen: missing(states, plan) };
  if (how.kind === 'running') return { ok: true, seen: 'running' };
  if (how.kind === 'healthcheck') return healthOf(states);
  if (how.kind === 'exec') {
    if (target === undefined) return { ok: false, seen: missing(states, plan) };
    const { exitCode, tail } = await execIn(
      site.docker,
      target.id,
      how.command,
      env,
      () => undefined,
      signal,
    );
    const last = site.logs.redact(tail).trim().split('\n').at(-1);
    return { ok: exitCode === 0, seen: `exit code ${exitCode}${last ? `: ${last}` : ''}` };
  }
  const port = how.port ?? plan.target.port ?? deployment.address?.()?.port;
  if (port === undefined) return { ok: false, seen: 'no port is named' };
  const address = targetAddress(site, deployment, target, port);
  if (address === undefined) return { ok: false, seen: `port ${port} is not reachable yet` };
  return how.kind === 'http' ? lookHttp(address, how, 400, signal) : lookTcp(address, signal);
}

/** The target has to be healthy, and every other service that says how it is. */
function healthOf(states: readonly ServiceState[]): Look {
  if (!states.some(({ health }) => health !== undefined)) {
    return { ok: false, seen: 'there is no HEALTHCHECK' };
  }
  const not = states.find(
    ({ health, status, replaced }) =>
      status === 'running' && replaced !== true && health !== undefined && health !== 'healthy',
  );
  return not === undefined
    ? { ok: true, seen: 'healthy' }
    : { ok: false, seen: `\`${not.service}\` is ${not.health}` };
}

function missing(states: readonly ServiceState[], plan: TestPlan): string {
  const names = [...new Set(states.map(({ service }) => service))];
  return names.includes(plan.target.service) || names.length === 0
    ? `\`${plan.target.service}\` is not running yet`
    : `there is no service \`${plan.target.service}\`, only ${names.map((name) => `\`${name}\``).join(', ')}`;
}
