// Files with a fault for `gateway --config`, what is told of each, its hint, and its name.

export const faults: [string, string, string, string?][] = [
  ["port = 4141\nhots = 'x'", "f.toml:2: hots does not exist", "Did you mean host?"],
  [
    "[[backends]]\nendpoint = 'x'\n\n[[backends]]\nendpoint = 'y'\nwieght = 3",
    "f.toml:6: backends[1].wieght does not exist",
    "Did you mean weight?",
  ],
  [
    "[[backends]]\nendpoint = 'x'\n[[backends]]\nname = 'y'",
    "f.toml:3: backends[1] lacks endpoint",
    "schema/gateway.json",
  ],
  ["[limits]\n# none\nmaxRequests = 0", "f.toml:3: limits.maxRequests must be a whole number from 1 to", ""],
  ["limits.idleMs = '5s'", "f.toml:1: limits.idleMs must be a whole number", ""],
  ["port = 70000", "f.toml:1: port must be a whole number from 0 to 65535", ""],
  ["log = 'loud'", 'f.toml:1: log must be "text" or "json" or "none"', ""],
  ["allowHosts = [\n  'a',\n  3,\n]", "f.toml:1: allowHosts[1] must be a string", ""],
  ["backends = []", "f.toml:1: backends must not be empty", ""],
  ["[[backends]]\nendpoint = 'x'\n[backends.env]\nA = 1", "f.toml:4: backends[0].env.A must be a string", ""],
  ["port = 1\nhost = \n", "f.toml:2: ", "read as TOML"],
  ['{\n  "port": 1,\n  "hots": 2\n}', "f.json:3: hots does not exist", "Did you mean host?", "f.json"],
  [
    '{"backends": [\n{"endpoint": "x"},\n{"endpoint": "y",\n"weight": 0}]}',
    "f.json:4: backends[1].weight must be",
    "",
    "f.json",
  ],
  ['{\n"allowHosts": ["a",\n{}]}', "f.json:3: allowHosts[1] must be a string", "", "f.json"],
  ['{\n"port": 1,,\n}', "f.json:2: unexpected", "name it .toml", "f.json"],
  ["[1]", "f.json: the file must be a table", "", "f.json"],
];
