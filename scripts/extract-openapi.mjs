// Cuts a forge's published API description down to the operations that we use, for the servers that tests run
// instead of the forge. Prose and examples are left out; methods, paths, parameters, bodies and answers stay.
//   node scripts/extract-openapi.mjs <description.json> <source> github|gitea > test/fixtures/openapi/<name>.json
// test/fixtures/openapi/README.md tells where the descriptions come from.
import { readFileSync } from 'node:fs';

const wanted = {
  github: [
    'get /user',
    'get /users/{username}',
    'get /repos/{owner}/{repo}',
    'get /repos/{owner}/{repo}/issues/comments/{comment_id}',
    'patch /repos/{owner}/{repo}/issues/comments/{comment_id}',
    'delete /repos/{owner}/{repo}/issues/comments/{comment_id}',
    'post /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
    'get /repos/{owner}/{repo}/issues/{issue_number}/comments',
    'post /repos/{owner}/{repo}/issues/{issue_number}/comments',
    'get /repos/{owner}/{repo}/issues',
    'post /repos/{owner}/{repo}/issues',
    'patch /repos/{owner}/{repo}/issues/{issue_number}',
    'get /repos/{owner}/{repo}/pulls/{pull_number}',
    'get /repos/{owner}/{repo}/pulls/{pull_number}/files',
    'get /repos/{owner}/{repo}/collaborators/{username}/permission',
    'post /repos/{owner}/{repo}/statuses/{sha}',
    'get /repos/{owner}/{repo}/commits/{ref}/statuses',
    'get /repos/{owner}/{repo}/releases',
  ],
  gitea: [
    'get /user',
    'get /version',
    'get /users/{username}',
    'get /orgs/{org}/members/{username}',
    'get /repos/{owner}/{repo}',
    'get /repos/{owner}/{repo}/issues/comments/{id}',
    'patch /repos/{owner}/{repo}/issues/comments/{id}',
    'delete /repos/{owner}/{repo}/issues/comments/{id}',
    'post /repos/{owner}/{repo}/issues/comments/{id}/reactions',
    'get /repos/{owner}/{repo}/issues/{index}/comments',
    'post /repos/{owner}/{repo}/issues/{index}/comments',
    'get /repos/{owner}/{repo}/issues',
    'post /repos/{owner}/{repo}/issues',
    'patch /repos/{owner}/{repo}/issues/{index}',
    'get /repos/{owner}/{repo}/pulls/{index}',
    'get /repos/{owner}/{repo}/pulls/{index}/files',
    'get /repos/{owner}/{repo}/collaborators/{collaborator}/permission',
    'post /repos/{owner}/{repo}/statuses/{sha}',
    'get /repos/{owner}/{repo}/commits/{ref}/statuses',
    'get /repos/{owner}/{repo}/releases',
  ],
};

const [file, source, dialect] = process.argv.slice(2);
const all = JSON.parse(readFileSync(file, 'utf8'));
const schemas = {};
const waiting = [];

/** A schema without prose, its references pointing into `schemas`. */
function bare(schema) {
  if (Array.isArray(schema)) return schema.map(bare);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1);
    if (!(name in schemas)) {
      schemas[name] = null;
      waiting.push(name);
    }
    return { $ref: `#/schemas/${name}` };
  }
  const kept = {};
  for (const [key, value] of Object.entries(schema)) {
    if (
      /^(description|summary|title|examples?|externalDocs|default|deprecated|discriminator|x-.*)$/.test(key)
    )
      continue;
    kept[key] =
      key === 'properties'
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, bare(inner)]))
        : key === 'required' || key === 'enum'
          ? value
          : bare(value);
  }
  return kept;
}

const resolved = (value) =>
  value?.$ref === undefined
    ? value
    : value.$ref
        .slice(2)
        .split('/')
        .reduce((inner, key) => inner[key], all);

function operation(name) {
  const [method, path] = name.split(' ');
  const found = all.paths[path]?.[method];
  if (found === undefined) throw new Error(`no operation ${name}`);
  const given = [...(all.paths[path].parameters ?? []), ...(found.parameters ?? [])].map(resolved);
  const parameters = given
    .filter((one) => one.in !== 'body')
    .map(({ in: where, name: parameter, required, schema, type, format, enum: values, items }) => ({
      in: where,
      name: parameter,
      required: required === true,
      schema: bare(schema ?? { type, format, enum: values, items }),
    }));
  const inBody = given.find((one) => one.in === 'body');
  const content = resolved(found.requestBody)?.content?.['application/json'];
  const body = inBody?.schema ?? content?.schema;
  const responses = Object.entries(found.responses).map(([status, answer]) => {
    const response = resolved(answer);
    const schema = response.schema ?? response.content?.['application/json']?.schema;
    return [status, schema === undefined ? null : bare(schema)];
  });
  return {
    method: method.toUpperCase(),
    path,
    parameters,
    ...(body === undefined ? {} : { body: bare(body) }),
    responses: Object.fromEntries(responses),
  };
}

const operations = wanted[dialect].map(operation);
for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
  schemas[name] = bare((all.components?.schemas ?? all.definitions)[name]);
}
const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
process.stdout.write(`${JSON.stringify({ source, operations, schemas: sorted })}\n`);
