import { join } from 'node:path';
import protobuf from 'protobufjs';

const folder = join(import.meta.dirname, '../../fixtures/schemas');

/** Types whose JSON form is not that of a message (protobuf.dev, "ProtoJSON format"). */
const wellKnown: Readonly<Record<string, (value: unknown) => boolean>> = {
  '.google.protobuf.Struct': (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  '.google.protobuf.Timestamp': (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value),
};

const scalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  int32: (value) => Number.isInteger(value),
  int64: (value) => typeof value === 'string' && /^-?\d+$/.test(value),
  bytes: (value) => typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value,
};

/**
 * Everything in which a JSON value is not a message of the published definition, in ProtoJSON: unknown fields too,
 * since a misspelt name would otherwise pass for an absent one.
 */
export function schemaFaults(files: readonly string[], type: string, value: unknown): string[] {
  const root = new protobuf.Root();
  // Google's own come with the library; those of its API only add remarks to fields.
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/api/') ? null : target.startsWith('google/') ? target : join(folder, target);
  root.loadSync([...files], { keepCase: false });
  root.resolveAll();
  return faultsOf(root.lookupType(type), value, '');
}

function faultsOf(type: protobuf.Type, value: unknown, at: string): string[] {
  const known = wellKnown[type.fullName];
  if (known !== undefined) return known(value) ? [] : [`${at}: no ${type.fullName}`];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: no object`];
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = type.fieldsArray.find((one) => (one.getOption('json_name') ?? one.name) === name);
    const place = `${at}.${name}`;
    if (field === undefined) return [`${place}: not in ${type.fullName}`];
    if (field.map) {
      return Object.entries(inner as object).flatMap(([key, item]) =>
        fieldFaults(field, item, `${place}.${key}`),
      );
    }
    if (!field.repeated) return fieldFaults(field, inner, place);
    if (!Array.isArray(inner)) return [`${place}: no list`];
    return inner.flatMap((item, i) => fieldFaults(field, item, `${place}.${i}`));
  });
}

function fieldFaults(field: protobuf.Field, value: unknown, at: string): string[] {
  if (field.resolvedType instanceof protobuf.Type) return faultsOf(field.resolvedType, value, at);
  if (field.resolvedType instanceof protobuf.Enum) {
    return Object.keys(field.resolvedType.values).includes(String(value)) ? [] : [`${at}: no such value`];
  }
  const holds = scalars[field.type];
  if (holds === undefined) return [`${at}: a type that is not checked, ${field.type}`];
  return holds(value) ? [] : [`${at}: no ${field.type}`];
}
