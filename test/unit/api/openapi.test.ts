// The OpenAPI document against a validator that shares no code with it, and the page made from it.

import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';

import { openApiDocument } from '../../../src/api/openapi.ts';
import type { OpenApiOperation } from '../../../src/api/openapi-parts.ts';
import { OPERATION_IDS } from '../../../src/api/operations.ts';
import { referencePage } from '../../../src/api/reference-page.ts';

describe('the OpenAPI document', () => {
  const document = openApiDocument();
  const operations: readonly OpenApiOperation[] = Object.values(document.paths).flatMap((of) => Object.values(of));

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>);
    expect(result.valid, JSON.stringify(result.errors)).to.equal(true);
    expect(validator.version).to.equal('3.1');
  });

  it('has every operation once, under an id of its own', () => {
    const ids = operations.map((o) => o.operationId);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids).to.include.members([...OPERATION_IDS, 'followEvents', 'getMetrics', 'getHealth', 'getReadiness']);
  });

  it('refers to no shape that it does not have, and has none that nothing refers to', () => {
    const referred = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
    expect([...new Set(referred)].sort()).to.deep.equal(Object.keys(document.components.schemas).sort());
  });

  it('describes the fields of a request as they are checked', () => {
    expect(document.components.schemas['PlanMove']).to.deep.include({
      required: ['vm', 'to'],
      additionalProperties: false,
    });
    expect(JSON.stringify(document.components.schemas['PlanMove'])).to.include('"maximum":600000');
  });

  it('names every path parameter', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(methods)) {
        const inPath = parameters.filter((p) => p['in'] === 'path').map((p) => p['name']);
        expect(inPath, path).to.deep.equal(named);
      }
    }
  });

  it('as a page shows every operation and shape, and links to nothing that is not there', () => {
    const page = referencePage(document);
    const ids = new Set([...page.matchAll(/ id="(\w+)"/g)].map(([, id]) => id));
    expect([...ids]).to.include.members([
      ...operations.map((o) => o.operationId),
      ...Object.keys(document.components.schemas),
    ]);
    for (const [, target] of page.matchAll(/href="#(\w+)"/g)) expect(ids.has(target)).to.equal(true);
    expect(page).not.to.match(/https?:|<script|undefined|\[object/);
  });
});
