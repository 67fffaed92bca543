// Who may import whom: one row a room of the house (docs/architecture.md). Each row lists what it may import beside itself.
const MAY_IMPORT = {
  'src/base': [],
  'src/wire': ['src/base'],
  'src/packet': ['src/base', 'src/wire'],
  'src/openflow': ['src/base', 'src/wire'],
  'src/netlink': ['src/base', 'src/wire'],
  'src/store': ['src/base'],
  'src/protocol': ['src/base', 'src/wire'],
  topology: ['src/base', 'src/wire', 'src/packet', 'src/openflow'],
  flows: ['src/base', 'src/wire', 'src/packet', 'src/openflow'],
  'src/soa': ['src/base', 'src/wire', 'src/packet', 'src/netlink', 'src/protocol'],
  'src/standby': ['src/base', 'src/wire', 'src/packet', 'src/netlink', 'src/protocol', 'src/soa'],
  'src/som': ['src/base', 'src/wire', 'src/packet', 'src/openflow', 'src/protocol', 'src/store', 'topology', 'flows'],
  'src/api': ['src/base', 'src/som', 'topology', 'flows', 'src/store', 'src/protocol'],
  'src/page': ['src/base', 'src/api', 'flows'],
  'src/app': ['src/(?!app|cli|lab)[^/]+', 'topology', 'flows'],
  'src/lab': ['src/base', 'src/wire', 'src/packet'],
  'src/cli': ['src/base', 'src/api', 'src/app', 'src/lab', 'src/openflow', 'src/protocol'],
};

const rules = Object.entries(MAY_IMPORT).map(([room, others]) => ({
  name: `${room.replaceAll('/', '-')}-imports`,
  comment: `${room} may import itself${others.length > 0 ? ` and ${others.join(', ')}` : ' alone'}`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: '^(src|topology|flows|mininet|test)/', pathNot: [room, ...others].map((p) => `^${p}/`) },
}));

module.exports = {
  forbidden: [
    ...rules,
    { name: 'no-cycles', severity: 'error', comment: 'data flows one way', from: {}, to: { circular: true } },
    { name: 'nothing-imports-test', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
