import { expect } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Answer } from './bank-client.js';

/** An operation with the address it stands at. */
export interface DocumentedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export function operationsOf(document: OpenAPIObject): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

/** Fails the test when a document is none by the standard's own schema. */
export async function expectValid(document: unknown): Promise<void> {
  expect(await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>)).toEqual({
    valid: true,
  });
}

/** Fails the test when an answer is none that the document has for the operation: unknown status, key or value. */
export function answersAgainst(document: OpenAPIObject): (method: string, path: string, answer: Answer) => void {
  const resolve = ({ $ref, ...schema }: Schema): Schema =>
    $ref === undefined ? schema : (document.components!.schemas![$ref.split('/').at(-1)!] as Schema);
  const check = (value: unknown, given: Schema, where: string): void => {
    const { allOf = [], ...schema } = resolve(given);
    for (const each of allOf) check(value, each, where);
    if (schema.enum !== undefined)
      expect({ where, value: schema.enum.includes(value) && value }).toEqual({ where, value });
    if (schema.type === 'array') {
      expect(Array.isArray(value)).toBe(true);
      for (const item of value as unknown[]) check(item, schema.items!, `${where}[]`);
    } else if (schema.properties !== undefined) {
      const { properties, required = [] } = schema;
      const keys = Object.keys(value as object);
      expect({ where, keys }).toEqual({ where, keys: expect.arrayContaining([...required]) });
      // an allOf narrows what a schema beside it declares in full
      if (allOf.length === 0 && required.length > 0)
        expect(Object.keys(properties)).toEqual(expect.arrayContaining(keys));
      for (const [key, property] of Object.entries(properties)) {
        const present = (value as Record<string, unknown>)[key];
        if (present !== undefined) check(present, property, `${where}.${key}`);
      }
    } else if (schema.type !== undefined) {
      const type = schema.type === 'integer' ? 'number' : schema.type;
      expect({ where, type: typeof value }).toEqual({ where, type });
      if (schema.format === 'date-time') expect(new Date(value as string).toISOString()).toBe(value);
    }
  };
  return (method, path, answer) => {
    const operation = operationsOf(document).find((each) => each.method === method.toLowerCase() && each.path === path);
    const where = `${method} ${path}: ${answer.status}`;
    const response = operation?.operation.responses[String(answer.status)] as
      { content?: Record<string, { schema: Schema }>; headers?: Record<string, unknown> } | undefined;
    expect({ where, response }).toEqual({ where, response: expect.anything() });
    const schema = response!.content?.['application/json']?.schema;
    if (schema === undefined) expect(answer.text).toBe('');
    else check(answer.json, schema, where);
    for (const header of Object.keys(response!.headers ?? {})) {
      expect(Object.keys(answer.headers)).toContain(header.toLowerCase());
    }
  };
}
