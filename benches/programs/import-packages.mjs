// Lists the packages that an import loads, without its own.
import { register } from "node:module";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";

const [name] = process.argv.slice(2);
const hooks = `let port;
export function initialize(given) { port = given; }
export async function load(url, context, next) { port.postMessage(url); return next(url, context); }`;
const { port1, port2 } = new MessageChannel();
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: port2, transferList: [port2] });
await import(name);
const packages = new Set();
for (let got = receiveMessageOnPort(port1); got; got = receiveMessageOnPort(port1)) {
  const path = got.message.split("/node_modules/").at(-1);
  if (path !== got.message) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(path)[0]);
}
packages.delete(name);
process.stdout.write(`${JSON.stringify({ packages: [...packages].sort() })}\n`);
process.exit();
