import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { fleetSchema } from '../fleet-file.ts';
import { recipeSchema } from '../recipe-file.ts';

type JsonSchema = ReturnType<typeof toJsonSchema>;

/** The JSON Schemas of our configuration files, for editors and linters: path in the repository → content. */
export function configSchemas(): Readonly<Record<string, string>> {
  const recipe = formOf(recipeSchema);
  const fleet = formOf(fleetSchema);
  return {
    'schema/knowngood.yml.schema.json': file('knowngood.yml: a recipe', recipe),
    // What is laid below every recipe's configuration has its form.
    'schema/fleet.yml.schema.json': file('fleet.yml: the recipes that a sweep looks after', {
      ...fleet,
      properties: { ...fleet.properties, defaults: { ...recipe, default: {} } },
    }),
  };
}

/**
 * What people write, before we read durations and short forms out of it. Space around a text is left to the reading:
 * YAML takes it off itself. Anything else that a JSON Schema cannot say must not be lost unnoticed, so it throws.
 */
function formOf(schema: v.GenericSchema): JsonSchema {
  const { $schema: _, ...form } = toJsonSchema(schema, {
    target: 'draft-07',
    typeMode: 'input',
    errorMode: 'throw',
    ignoreActions: ['trim'],
    overrideAction: ({ valibotAction, jsonSchema }) => {
      const { requirement } = valibotAction as { requirement?: { readonly jsonSchema?: object } };
      return requirement?.jsonSchema === undefined ? undefined : { ...jsonSchema, ...requirement.jsonSchema };
    },
  });
  return form;
}

/** Draft 7 is the one that editors' YAML support reads. */
function file(title: string, form: JsonSchema): string {
  const whole = { $schema: 'http://json-schema.org/draft-07/schema#', title, ...form };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
