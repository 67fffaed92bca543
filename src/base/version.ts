// What this program says it is, on the wire and to people. A test holds it to package.json.

export const VERSION = '0.1.0';
