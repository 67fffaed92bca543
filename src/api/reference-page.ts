// The OpenAPI document as a page for people: static, without scripts or anything from elsewhere. Pure.

import type { OpenApiDocument } from './openapi.ts';
import type { OpenApiOperation } from './openapi-parts.ts';

export function referencePage(document: OpenApiDocument): string {
  const sections = document.tags.map(({ name, description = '' }) => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { tags }]) => tags.includes(name))
        .map(([method, operation]) => operationBlock(method, path, operation)),
    );
    return `<h2>${escape(name)}</h2>\n<p>${escape(description)}</p>\n${operations.join('\n')}`;
  });
  const shapes = Object.entries(document.components.schemas).map(
    ([
      name,
      schema,
    ]) => `<details id="${escape(name)}"><summary><b>${escape(name)}</b> ${escape(textOf(schema['description']))}</summary>
${fieldTable(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>stateferry API</title><style>${STYLE}</style></head><body><main>
<h1>stateferry API</h1>
<p>Version ${escape(textOf(document.info['version']))}. Every request but those marked <i>open</i> carries <code>Authorization: Bearer TOKEN</code>. What is refused is
answered with <code>application/problem+json</code> (RFC 9457). For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
${sections.join('\n')}
<h2>Shapes</h2>
${shapes.join('\n')}
</main></body></html>
`;
}

function operationBlock(method: string, path: string, o: OpenApiOperation): string {
  const parameters = (o.parameters ?? []).map(
    (p) =>
      `<tr><th scope="row"><code>${escape(textOf(p['name']))}</code></th><td>${escape(textOf(p['in']))}</td><td>${escape(textOf(p['description']))}</td></tr>`,
  );
  const body = o.requestBody === undefined ? '' : `<p>Takes ${shapesIn(o.requestBody)}.</p>`;
  const answers = Object.entries(o.responses).map(
    ([status, answer]) =>
      `<tr><th scope="row">${status === 'default' ? 'else' : status}</th><td>${shapesIn(answer) || '-'}</td><td>${escape(textOf(answer['description']))}</td></tr>`,
  );
  return `<section id="${escape(o.operationId)}"><h3><span class="${method}">${method.toUpperCase()}</span> <code>${escape(path)}</code>${o.security === undefined ? '' : ' <i>open</i>'}</h3>
<p>${escape(o.summary)}. <span class="id">${escape(o.operationId)}</span></p>
${parameters.length === 0 ? '' : `<table>${parameters.join('')}</table>`}${body}<table>${answers.join('')}</table></section>`;
}

/** Links to the shapes that are referred to in some part of the document. */
function shapesIn(part: unknown): string {
  const names = [...JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '');
  return [...new Set(names)].map((name) => `<a href="#${name}">${name}</a>`).join(', ');
}

function fieldTable(schema: Readonly<Record<string, unknown>>): string {
  const required = new Set((schema['required'] ?? []) as string[]);
  const rows = Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>).map(
    ([name, field]) =>
      `<tr><th scope="row"><code>${escape(name)}</code>${required.has(name) ? '' : ' <i>optional</i>'}</th><td>${typeOf(field)}</td><td>${escape(textOf(field['description']))}</td></tr>`,
  );
  return `<table>${rows.join('\n')}</table>`;
}

/** A type in a few words: `array of Port`, `string or null`, `object {a, b}`. */
function typeOf(field: Readonly<Record<string, unknown>>): string {
  const { $ref: reference, type, items, properties, anyOf, enum: values } = field;
  if (typeof reference === 'string') return shapesIn(field);
  if (Array.isArray(anyOf)) return anyOf.map((one) => typeOf(one as Record<string, unknown>)).join(' or ');
  if (Array.isArray(values)) return values.map((v) => `<code>${escape(String(v))}</code>`).join(' ');
  if (type === 'array') return `array of ${typeOf((items ?? {}) as Record<string, unknown>)}`;
  if (properties !== undefined) {
    const inner = Object.entries(properties as Record<string, Record<string, unknown>>);
    return `object {${inner.map(([name, of]) => `<code>${escape(name)}</code>: ${typeOf(of)}`).join(', ')}}`;
  }
  return escape(Array.isArray(type) ? type.join(' or ') : textOf(type) || 'any');
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
h3 { margin: 2rem 0 .2rem; font-size: 1.05rem; } h3 code { overflow-wrap: anywhere; }
.get, .post { font-size: .8rem; padding: .1rem .5rem; border-radius: .3rem; color: #fff; background: #1d5fa8; } .post { background: #1f7a3d; }
.id { opacity: .75; font-family: ui-monospace, monospace; font-size: .9rem; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; margin: .4rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-top: 1px solid #8884; overflow-wrap: anywhere; }
th { width: 20%; } td:nth-child(2) { width: 25%; }
@media (max-width: 36rem) { tr { display: block; padding: .3rem 0; border-top: 1px solid #8884; } th, td, td:nth-child(2) { display: block; width: auto; padding: 0; border: 0; } }
th { font-weight: normal; } details { border-top: 1px solid #8884; padding: .4rem 0; } summary { cursor: pointer; }
:target { outline: 2px solid #1d5fa8; outline-offset: .3rem; }
`;
