// What the pages do in the browser: when something happens they are fetched anew, and what differs is changed in place, so that
// a VM that has moved is seen to move and nobody loses his place. Without it the pages are the same, and still.

/** As much of the DOM as is used here; the rest of the program knows no browser. */
interface Node_ {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly childNodes: ArrayLike<Node_>;
  nodeValue: string | null;
  /** Elements only, as what follows. */
  readonly id?: string;
  readonly attributes?: ArrayLike<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  insertBefore(child: Node_, before: Node_ | null): void;
  replaceChildren(text: string): void;
  remove(): void;
}
interface Document_ {
  getElementById(id: string): Node_ | null;
}
declare const document: Document_;
declare const location: { readonly href: string; reload(): void };
declare class DOMParser {
  parseFromString(text: string, type: string): Document_;
}
declare class EventSource {
  constructor(url: string);
  addEventListener(type: string, listener: () => void): void;
}

/** Runs in the browser as it is written here: it may use nothing from outside but what is declared above. */
function live(): void {
  const LEAST_MS = 150;
  const condition = document.getElementById('live');
  const say = (text: string): void => condition?.replaceChildren(text);
  /** What its reader has opened or closed stays so. */
  const isHis = (name: string): boolean => name === 'open';
  const syncAttributes = (now: Node_, wanted: Node_): void => {
    for (const { name, value } of Array.from(wanted.attributes ?? []))
      if (!isHis(name) && now.getAttribute(name) !== value) now.setAttribute(name, value);
    for (const { name } of Array.from(now.attributes ?? []))
      if (!isHis(name) && wanted.getAttribute(name) === null) now.removeAttribute(name);
  };
  const sync = (now: Node_, wanted: Node_): void => {
    if (wanted.attributes === undefined) {
      if (now.nodeValue !== wanted.nodeValue) now.nodeValue = wanted.nodeValue;
      return;
    }
    syncAttributes(now, wanted);
    const byId = new Map(Array.from(now.childNodes, (child) => [child.id ?? '', child]));
    const children = Array.from(wanted.childNodes);
    children.forEach((child, i) => {
      const here = now.childNodes[i] ?? null;
      const id = child.id ?? '';
      const same = id === '' ? here : (byId.get(id) ?? null);
      if (same === null || same.nodeName !== child.nodeName || (same.id ?? '') !== id) {
        now.insertBefore(child, here);
        return;
      }
      // An element that is put elsewhere loses its transitions: only where it must.
      if (same !== here) now.insertBefore(same, here);
      sync(same, child);
    });
    for (const child of Array.from(now.childNodes).slice(children.length)) child.remove();
  };

  let fetching = false;
  let stale = false;
  const refresh = async (): Promise<void> => {
    stale = true;
    if (fetching) return;
    fetching = true;
    while (stale) {
      stale = false;
      try {
        const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
        if (answer.redirected) location.reload(); // to log in
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const [now, wanted] = [document.getElementById('content'), page.getElementById('content')];
        if (answer.ok && now !== null && wanted !== null) sync(now, wanted);
      } catch {
        say('no connection');
      }
      await new Promise((resolve) => setTimeout(resolve, LEAST_MS));
    }
    fetching = false;
  };

  const events = new EventSource('/v1/events');
  for (const type of ['hello', 'reset', 'migration', 'topology', 'alarm'])
    events.addEventListener(type, () => void refresh());
  events.addEventListener('open', () => say('live'));
  events.addEventListener('error', () => say('no connection'));
}

export const LIVE_SCRIPT = `(${String(live)})();`;
