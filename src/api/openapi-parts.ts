// Parts of the OpenAPI document that operations and the other paths have in common.

export type Json = Readonly<Record<string, unknown>>;

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
  readonly security?: readonly Json[];
}

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

export const refusal = (titles: readonly string[]): Json => ({
  description: `Refused. Its title may be: ${titles.join(', ')}.`,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});
