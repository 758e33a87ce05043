import { fieldsOf } from './protobuf.ts';

/**
 * What BuildKit tells about a running build: vertices of its graph, their output, warnings. Times are
 * milliseconds since the epoch. All text is untrusted.
 *
 * Shape: `StatusResponse` in BuildKit's api/services/control/control.proto; the same, as JSON, is what
 * `buildx --progress=rawjson` writes.
 */
export interface SolveStatus {
  readonly vertexes: readonly Vertex[];
  readonly logs: readonly VertexLog[];
  readonly warnings: readonly string[];
}

export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started?: number;
  readonly completed?: number;
  readonly error?: string;
}

export interface VertexLog {
  readonly vertex: string;
  /** 1 is standard output, 2 standard error. */
  readonly stream: number;
  readonly data: Uint8Array;
}

const utf8 = new TextDecoder();
const text = (bytes: Uint8Array): string => utf8.decode(bytes);

/** Decodes the `aux` of one `moby.buildkit.trace` line of the Engine API: base64 of a StatusResponse. */
export function decodeTrace(base64: string): SolveStatus {
  const vertexes: Vertex[] = [];
  const logs: VertexLog[] = [];
  const warnings: string[] = [];
  for (const field of fieldsOf(Buffer.from(base64, 'base64'))) {
    if (!('bytes' in field)) continue;
    if (field.number === 1) vertexes.push(decodeVertex(field.bytes));
    else if (field.number === 3) logs.push(decodeLog(field.bytes));
    else if (field.number === 4) warnings.push(decodeWarning(field.bytes));
  }
  return { vertexes, logs, warnings };
}

function decodeVertex(message: Uint8Array): Vertex {
  const vertex: { -readonly [K in keyof Vertex]: Vertex[K] } = { digest: '', name: '', cached: false };
  for (const field of fieldsOf(message)) {
    if ('varint' in field) {
      if (field.number === 4) vertex.cached = field.varint !== 0n;
    } else if (field.number === 1) vertex.digest = text(field.bytes);
    else if (field.number === 3) vertex.name = text(field.bytes);
    else if (field.number === 5) vertex.started = decodeTime(field.bytes);
    else if (field.number === 6) vertex.completed = decodeTime(field.bytes);
    else if (field.number === 7) vertex.error = text(field.bytes);
  }
  return vertex;
}

function decodeLog(message: Uint8Array): VertexLog {
  const log: { -readonly [K in keyof VertexLog]: VertexLog[K] } = {
    vertex: '',
    stream: 1,
    data: new Uint8Array(),
  };
  for (const field of fieldsOf(message)) {
    if ('varint' in field) {
      if (field.number === 3) log.stream = Number(field.varint);
    } else if (field.number === 1) log.vertex = text(field.bytes);
    else if (field.number === 4) log.data = field.bytes;
  }
  return log;
}

function decodeWarning(message: Uint8Array): string {
  for (const field of fieldsOf(message)) {
    if ('bytes' in field && field.number === 3) return text(field.bytes);
  }
  return '';
}

/** google.protobuf.Timestamp: seconds and nanoseconds. */
function decodeTime(message: Uint8Array): number {
  let ms = 0;
  for (const field of fieldsOf(message)) {
    if (!('varint' in field)) continue;
    if (field.number === 1) ms += Number(field.varint) * 1000;
    else if (field.number === 2) ms += Number(field.varint) / 1e6;
  }
  return ms;
}

/** One line of `buildx --progress=rawjson`; `undefined` for a line that is not one. */
export function parseRawJson(line: string): SolveStatus | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const record = asRecord(parsed);
  if (!record) return undefined;
  return {
    vertexes: list(record.vertexes).map((vertex) => ({
      digest: string(vertex.digest),
      name: string(vertex.name),
      cached: vertex.cached === true,
      ...time('started', vertex.started),
      ...time('completed', vertex.completed),
      ...(typeof vertex.error === 'string' && vertex.error !== '' ? { error: vertex.error } : {}),
    })),
    logs: list(record.logs).map((log) => ({
      vertex: string(log.vertex),
      stream: log.stream === 2 ? 2 : 1,
      data: Buffer.from(string(log.data), 'base64'),
    })),
    warnings: list(record.warnings).map((warning) => Buffer.from(string(warning.short), 'base64').toString()),
  };
}

function time<K extends string>(key: K, value: unknown): { [P in K]?: number } {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return (Number.isNaN(ms) ? {} : { [key]: ms }) as { [P in K]?: number };
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(asRecord).filter((item) => item !== undefined) : [];
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
