import type Docker from 'dockerode';
import { engineFailure, engineStatus } from '../engine/dockerode-failure.ts';
import { type ServiceState, stateOf } from './containers.ts';
import type { UpdateView } from './update-view.ts';

/** A task as the Engine API lists it; dockerode has no type for it. */
interface Task {
  readonly ID: string;
  readonly ServiceID: string;
  readonly CreatedAt: string;
  readonly DesiredState: string;
  readonly Spec: { readonly ContainerSpec?: unknown };
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly ExitCode?: number };
  };
}

export interface StackService {
  readonly ID: string;
  readonly Spec: {
    readonly Name: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly TaskTemplate: { readonly ContainerSpec?: { readonly Image?: string } };
    readonly UpdateConfig?: { readonly FailureAction?: string };
  };
  readonly UpdateStatus?: { readonly State?: string; readonly StartedAt?: string; readonly Message?: string };
}

/** The services of a stack, with what swarm says of their last update. */
export async function stackServices(
  docker: Docker,
  project: string,
  signal: AbortSignal,
): Promise<StackService[]> {
  try {
    return (await docker.listServices({
      filters: { label: [`com.docker.stack.namespace=${project}`] },
      abortSignal: signal,
    } as never)) as unknown as StackService[];
  } catch (cause) {
    throw engineFailure(cause, "looking at the stack's services", signal);
  }
}

/**
 * The tasks of a stack as services. A task whose spec is not its service's any more is being replaced and says
 * nothing about the release; nor does a failed one while swarm itself still decides whether to take the update back.
 */
export async function stackStates(
  docker: Docker,
  project: string,
  signal: AbortSignal,
): Promise<ServiceState[]> {
  const services = await stackServices(docker, project, signal);
  if (services.length === 0) return [];
  try {
    const filters = { service: services.map(({ ID }) => ID) };
    const tasks = (await docker.listTasks({ filters, abortSignal: signal } as never)) as unknown as Task[];
    const states = await Promise.all(
      tasks.map(async (task) => {
        const service = services.find(({ ID }) => ID === task.ServiceID);
        return service === undefined ? undefined : taskState(docker, project, service, task, signal);
      }),
    );
    return states.filter((state) => state !== undefined);
  } catch (cause) {
    throw engineFailure(cause, "looking at the stack's tasks", signal);
  }
}

async function taskState(
  docker: Docker,
  project: string,
  service: StackService,
  task: Task,
  signal: AbortSignal,
): Promise<ServiceState> {
  const name = service.Spec.Name.slice(project.length + 1);
  const version = versionLabel(service);
  const labelled = version === undefined ? {} : { version };
  const old =
    !sameSpec(task, service) ||
    task.Status.State === 'shutdown' ||
    task.Status.State === 'orphaned' ||
    task.Status.State === 'remove';
  const id = task.Status.ContainerStatus?.ContainerID ?? '';
  if (id !== '') {
    const info = await docker
      .getContainer(id)
      .inspect({ abortSignal: signal })
      .catch((cause: unknown) => {
        if (engineStatus(cause) === 404) return undefined;
        throw cause;
      });
    if (info !== undefined) {
      // The container is known to have ended a moment before the task is.
      const ended = isGone(task.Status.State) || /^(?:exited|dead|removing)$/.test(info.State.Status);
      const replaced = old || (ended && isDeciding(service));
      return { ...stateOf(info, () => name), ...labelled, ...(replaced ? { replaced } : failureOf(task)) };
    }
  }
  const replaced = old || (isGone(task.Status.State) && isDeciding(service));
  return {
    service: name,
    id,
    container: `${service.Spec.Name}.${task.ID}`,
    imageId: '',
    reference: service.Spec.TaskTemplate.ContainerSpec?.Image ?? '',
    status: isGone(task.Status.State) ? 'exited' : 'created',
    exitCode: task.Status.ContainerStatus?.ExitCode ?? 0,
    outOfMemory: false,
    restarts: 0,
    startedAt: '',
    tty: false,
    addresses: {},
    published: {},
    anonymous: [],
    ...labelled,
    ...(replaced ? { replaced } : failureOf(task)),
  };
}

function isGone(state: string): boolean {
  return state === 'failed' || state === 'rejected' || state === 'complete';
}

function failureOf({ Status }: Task): { error?: string } {
  return Status.State === 'failed' || Status.State === 'rejected'
    ? { error: Status.Err ?? `swarm says ${Status.State}` }
    : {};
}

/** An update that swarm may still take back by itself. */
function isDeciding({ Spec, UpdateStatus }: StackService): boolean {
  if (Spec.UpdateConfig?.FailureAction !== 'rollback') return false;
  return UpdateStatus?.State === 'updating' || UpdateStatus?.State === 'rollback_started';
}

function sameSpec(task: Task, service: StackService): boolean {
  return JSON.stringify(task.Spec.ContainerSpec) === JSON.stringify(service.Spec.TaskTemplate.ContainerSpec);
}

/** Swarm's labels of a service (`deploy.labels`) state the version where a recipe follows Co-op Cloud. */
function versionLabel({ Spec }: StackService): string | undefined {
  const key = Object.keys(Spec.Labels ?? {}).find((name) => /^coop-cloud\.[^.]+\.version$/.test(name));
  return key === undefined ? undefined : Spec.Labels?.[key];
}

/** What swarm did with an update, over all services: taken back counts before still working before settled. */
export function updateView(project: string, services: readonly StackService[]): UpdateView {
  for (const { Spec, UpdateStatus } of services) {
    if (UpdateStatus?.State === 'rollback_completed' || UpdateStatus?.State === 'rollback_paused') {
      return {
        kind: 'rolled-back',
        service: Spec.Name.slice(project.length + 1),
        why: UpdateStatus.Message ?? UpdateStatus.State,
      };
    }
  }
  const working = services.some(
    ({ UpdateStatus }) => UpdateStatus?.State === 'updating' || UpdateStatus?.State === 'rollback_started',
  );
  return { kind: working ? 'working' : 'settled' };
}
