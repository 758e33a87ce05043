import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/** A JSON Schema as the extracts in test/fixtures/openapi have it. */
type Schema = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Schema;
  readonly responses: Readonly<Record<string, Schema | null>>;
}

interface Description {
  readonly source: string;
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** A request that the description has an operation for, or what is wrong with it. */
export interface Matched {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, string>>;
  readonly faults: readonly string[];
}

export interface DescribedApi {
  readonly source: string;
  /** The operation of a request, with everything in which the request is not as described. */
  match(method: string, path: string, query: URLSearchParams, body: unknown): Matched | undefined;
  /** Everything in which an answer is not as described. */
  answerFaults(operation: Operation, status: number, body: unknown): readonly string[];
  /** A smallest answer that is as described, with `known` put over it. */
  answer(operation: Operation, status: number, known: unknown): unknown;
}

/**
 * A forge's published description, extracted to the operations that we use. `looseNull`: Go's servers answer null for
 * what is not there, and Swagger 2 has no word for it.
 */
export function describedApi(name: string): DescribedApi {
  const file = new URL(`../../fixtures/openapi/${name}.json`, import.meta.url);
  const description = JSON.parse(readFileSync(file, 'utf8')) as Description;
  const looseNull = name !== 'github';
  const ajv = new Ajv({ strict: false, coerceTypes: false, allErrors: true });
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  for (const format of ['repo.nwo', 'timestamp', 'int64', 'int32', 'uri-template', 'double']) {
    ajv.addFormat(format, true);
  }
  const schemas = withNull(description.schemas, looseNull) as Description['schemas'];
  ajv.addSchema({ $id: 'api', schemas });
  const compiled = new Map<string, ValidateFunction>();

  const validator = (schema: Schema): ValidateFunction => {
    const text = JSON.stringify(withNull(schema, looseNull)).replaceAll('"#/schemas/', '"api#/schemas/');
    const known = compiled.get(text) ?? ajv.compile(JSON.parse(text) as Schema);
    compiled.set(text, known);
    return known;
  };
  const faultsOf = (schema: Schema, value: unknown, where: string): string[] => {
    const validate = validator(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${where}${instancePath}: ${message}`);
  };
  const resolve = (schema: Schema): Schema =>
    typeof schema.$ref === 'string' ? description.schemas[schema.$ref.replace('#/schemas/', '')]! : schema;

  /** Names that a body may have; `undefined` where any may be. */
  const bodyNames = (schema: Schema): Set<string> | undefined => {
    const { properties, additionalProperties } = resolve(schema);
    if (properties === undefined || additionalProperties === true) return undefined;
    return new Set(Object.keys(properties as object));
  };

  return {
    source: description.source,
    match(method, path, query, body) {
      for (const operation of description.operations) {
        if (operation.method !== method) continue;
        const found = pathParameters(operation.path, path);
        if (found === undefined) continue;
        const faults: string[] = [];
        const declared = (where: Parameter['in']) => operation.parameters.filter((one) => one.in === where);
        for (const { name, schema } of declared('path')) {
          faults.push(...faultsOf(schema, typed(found[name] ?? '', resolve(schema)), `path ${name}`));
        }
        for (const [name, value] of query) {
          const parameter = declared('query').find((one) => one.name === name);
          if (parameter === undefined) faults.push(`query ${name}: not described`);
          else {
            const { schema } = parameter;
            faults.push(...faultsOf(schema, typed(value, resolve(schema)), `query ${name}`));
          }
        }
        for (const { name, required } of declared('query')) {
          if (required && !query.has(name)) faults.push(`query ${name}: missing`);
        }
        if (operation.body === undefined) {
          if (body !== undefined) faults.push('body: none is described');
        } else if (body !== undefined) {
          faults.push(...faultsOf(operation.body, body, 'body'));
          const names = bodyNames(operation.body);
          for (const name of Object.keys(body as object)) {
            if (names !== undefined && !names.has(name)) faults.push(`body/${name}: not described`);
          }
        } else if (method === 'POST' || method === 'PATCH') faults.push('body: missing');
        return { operation, parameters: found, faults };
      }
      return undefined;
    },
    answerFaults(operation, status, body) {
      const schema = operation.responses[String(status)];
      if (schema === undefined) return [`answer ${status}: not described`];
      if (schema === null) return body === undefined ? [] : [`answer ${status}: no body is described`];
      return faultsOf(schema, body, `answer ${status}`);
    },
    answer(operation, status, known) {
      const schema = operation.responses[String(status)];
      if (schema === undefined || schema === null) return known;
      return merged(sample(schema, resolve, 0), known, schema, resolve);
    },
  };
}

/** The parameters of a path template, `undefined` where the path is another one. */
function pathParameters(template: string, path: string): Record<string, string> | undefined {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const pattern = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '([^/]+)');
  const match = new RegExp(`^${pattern}$`).exec(path);
  if (match === null) return undefined;
  return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1]!)]));
}

/** A text of path or query as the type that its schema asks for. */
function typed(text: string, { type }: Schema): unknown {
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** OpenAPI 3.0's `nullable`, and Go's silent null, in JSON Schema's own words. */
function withNull(schema: unknown, loose: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((one) => withNull(one, loose));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { nullable, ...rest } = schema as Record<string, unknown>;
  const inner: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, withNull(value, loose)]),
  );
  const isLoose = loose && (inner.type === 'array' || inner.type === 'object');
  return nullable === true || isLoose ? { anyOf: [inner, { type: 'null' }] } : inner;
}

type Resolve = (schema: Schema) => Schema;

function sample(schema: Schema, resolve: Resolve, depth: number): unknown {
  const {
    type,
    format,
    enum: values,
    nullable,
    oneOf,
    anyOf,
    allOf,
    items,
  } = resolve(schema) as {
    type?: string;
    format?: string;
    enum?: readonly unknown[];
    nullable?: boolean;
    oneOf?: Schema[];
    anyOf?: Schema[];
    allOf?: Schema[];
    items?: Schema;
  };
  if (nullable === true && depth > 0) return null;
  if (values !== undefined) return values[0];
  const choice = oneOf?.[0] ?? anyOf?.[0];
  if (choice !== undefined) return sample(choice, resolve, depth + 1);
  if (allOf !== undefined) return Object.assign({}, ...allOf.map((one) => sample(one, resolve, depth)));
  switch (type) {
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return false;
    case 'array':
      return items === undefined ? [] : [];
    case 'string':
      return format === 'date-time' ? '2026-01-01T00:00:00Z' : format === 'uri' ? 'https://example.org/' : '';
    case 'object':
      return required(schema, resolve, depth);
    default:
      return resolve(schema).properties === undefined ? {} : required(schema, resolve, depth);
  }
}

function required(schema: Schema, resolve: Resolve, depth: number): Record<string, unknown> {
  const { properties = {}, required: names = [] } = resolve(schema) as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  return Object.fromEntries(
    names.map((name) => [
      name,
      properties[name] === undefined ? '' : sample(properties[name], resolve, depth + 1),
    ]),
  );
}

/** `known` over `base`; objects inside are completed the same way, by the schema of their place. */
function merged(base: unknown, known: unknown, schema: Schema, resolve: Resolve): unknown {
  const { items, properties, anyOf, oneOf, allOf } = resolve(schema) as {
    items?: Schema;
    properties?: Record<string, Schema>;
    anyOf?: Schema[];
    oneOf?: Schema[];
    allOf?: Schema[];
  };
  const other = anyOf?.[0] ?? oneOf?.[0] ?? allOf?.[0];
  if (other !== undefined && properties === undefined) return merged(base, known, other, resolve);
  if (Array.isArray(known)) {
    if (items === undefined) return known;
    return known.map((one) => merged(sample(items, resolve, 0), one, items, resolve));
  }
  if (typeof known !== 'object' || known === null) return known;
  const over = Object.entries(known)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const inner = properties?.[name];
      return [name, inner === undefined ? value : merged(sample(inner, resolve, 0), value, inner, resolve)];
    });
  return { ...(typeof base === 'object' && base !== null ? base : {}), ...Object.fromEntries(over) };
}
