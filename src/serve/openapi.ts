/** The API as an OpenAPI 3.1 document, made of the table of operations. */
import { z } from 'zod';
import { COMMON_FAILURES, FAILURES, OPERATIONS, type Operation, PATHS, type Shape } from './operations.ts';
import { ProblemSchema } from './problem.ts';

type Json = Record<string, unknown>;

/** The document; computed once. */
export function openApi(): Json {
  const shapes = new Map<string, Json>([['Problem', schemaOf(ProblemSchema, 'output')]]);
  const names = new Map(Object.entries<Operation>(OPERATIONS).map(([name, each]) => [each, name]));
  const paths: Json = {};
  for (const [path, operations] of PATHS)
    paths[path] = Object.fromEntries(
      operations.map((each) => [each.method, operationObject(names.get(each)!, each, shapes)]),
    );
  return {
    openapi: '3.1.0',
    info: {
      title: 'tunnelscope',
      version: '1',
      description:
        'What an agent sees and has seen. Octets and packets are those of the wire. Answers may get further members; no member goes or changes its meaning under /api/v1.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries([...shapes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      responses: Object.fromEntries(
        Object.entries(FAILURES).map(([status, words]) => [
          `Failure${status}`,
          failure(Number(status), words),
        ]),
      ),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'For reading; not asked for on loopback unless set.',
        },
        adminToken: { type: 'http', scheme: 'bearer', description: 'For changing things, and for reading.' },
      },
    },
  };
}

function operationObject(operationId: string, operation: Operation, shapes: Map<string, Json>): Json {
  const { role, summary, meaning, parameters, body, answer, failures } = operation;
  const content = (types: Readonly<Record<string, Shape | undefined>>, io: 'input' | 'output'): Json =>
    Object.fromEntries(
      Object.entries(types).map(([type, shape]) => {
        if (!shape) return [type, { schema: { type: 'string' } }];
        shapes.set(shape.name, schemaOf(shape.schema, io));
        return [type, { schema: { $ref: `#/components/schemas/${shape.name}` } }];
      }),
    );
  const statuses = [...new Set([...COMMON_FAILURES, ...failures])].toSorted((a, b) => a - b);
  return {
    operationId,
    summary,
    description: meaning,
    security: role === 'admin' ? [{ adminToken: [] }] : [{}, { token: [] }, { adminToken: [] }],
    ...(parameters && { parameters: parametersOf(parameters) }),
    ...(body && { requestBody: { required: true, content: content({ 'application/json': body }, 'input') } }),
    responses: {
      200: { description: summary, content: content(answer, 'output') },
      ...Object.fromEntries(
        statuses.map((status) => [status, { $ref: `#/components/responses/Failure${status}` }]),
      ),
    },
  };
}

/** The parameters of an address, each with its schema. */
export function parametersOf(schema: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    readonly properties?: Record<string, Json>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description !== undefined && { description }),
    // A list is one word with commas.
    ...(rest.type === 'array' && { style: 'form', explode: false }),
    schema: rest,
  }));
}

/** Said before there is a request that could be answered: without a body. */
const WORDLESS: readonly number[] = [408, 431];

function failure(status: number, description: string): Json {
  if (WORDLESS.includes(status)) return { description };
  return {
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** Answers may get further members, so that theirs are not said to be all; what is sent has no others. Of maps the values stay said. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  return rest;
}
