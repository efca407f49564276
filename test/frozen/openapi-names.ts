interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}
interface Body {
  content?: Record<string, { schema?: Schema }>;
  headers?: Record<string, unknown>;
}
interface Operation {
  operationId?: string;
  parameters?: { in: string; name: string; required?: boolean; schema?: Schema }[];
  requestBody?: Body & { required?: boolean };
  responses?: Record<string, Body>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema>; responses?: Record<string, Body> };
}

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);
const parts = ({ anyOf = [], oneOf = [], allOf = [] }: Schema): Schema[] => [...anyOf, ...oneOf, ...allOf];

function typeOf(schema: Schema): string {
  if (schema.$ref) return nameOf(schema.$ref);
  const types = [schema.type ?? []].flat();
  const all = types.length > 0 ? types : parts(schema).map(typeOf);
  return [...new Set(all)].sort().join(' | ') || 'any';
}

/** The fields below a place, each with its type; `?` stands behind one that may be missing. */
function fieldsOf(place: string, schema: Schema): string[] {
  if (schema.$ref) return [];
  const values = schema.const === undefined ? (schema.enum ?? []) : [schema.const];
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${place}.${name}`;
    const mark = schema.required?.includes(name) ? '' : '?';
    return [`${path}${mark}: ${typeOf(field)}`, ...fieldsOf(path, field)];
  });
  const more = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  return [
    ...values.map((value) => `${place} = ${JSON.stringify(value)}`),
    ...properties,
    ...(schema.items ? [`${place}[]: ${typeOf(schema.items)}`, ...fieldsOf(`${place}[]`, schema.items)] : []),
    ...(more ? [`${place}.*: ${typeOf(more)}`, ...fieldsOf(`${place}.*`, more)] : []),
    ...parts(schema).flatMap((part) => fieldsOf(place, part)),
  ];
}

const bodyOf = (place: string, { content = {}, headers = {} }: Body): string[] => [
  ...Object.entries(content).flatMap(([media, { schema }]) => {
    const at = `${place} ${media}`;
    return schema ? [`${at}: ${typeOf(schema)}`, ...fieldsOf(at, schema)] : [at];
  }),
  ...Object.keys(headers).map((name) => `${place} header ${name}`),
];

function operationNames(place: string, operation: Operation): string[] {
  const { operationId, parameters = [], requestBody, responses = {} } = operation;
  return [
    ...(operationId ? [`${place} is ${operationId}`] : []),
    ...parameters.flatMap(({ in: where, name, required, schema = {} }) => {
      const at = `${place} ${where} ${name}`;
      return [`${at}${required ? '' : '?'}: ${typeOf(schema)}`, ...fieldsOf(at, schema)];
    }),
    ...(requestBody ? bodyOf(`${place} body${requestBody.required ? '' : '?'}`, requestBody) : []),
    ...Object.entries(responses).flatMap(([status, body]) => [
      `${place} ${status}`,
      ...bodyOf(`${place} ${status}`, body),
    ]),
  ];
}

/** Every route, parameter, status and JSON field of an OpenAPI document, one a line. */
export function openApiNames(text: string): string[] {
  const { paths, components = {} } = JSON.parse(text) as Document;
  return [
    ...Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, operation]) =>
        operationNames(`${method.toUpperCase()} ${path}`, operation),
      ),
    ),
    ...Object.entries(components.schemas ?? {}).flatMap(([name, schema]) => [
      `${name}: ${typeOf(schema)}`,
      ...fieldsOf(name, schema),
    ]),
    ...Object.entries(components.responses ?? {}).flatMap(([name, body]) => bodyOf(name, body)),
  ];
}
