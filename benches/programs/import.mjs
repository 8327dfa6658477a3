// The import alone, in a process that has done nothing else.
const [name] = process.argv.slice(2);
const began = performance.now();
await import(name);
process.stdout.write(`${JSON.stringify({ ms: performance.now() - began })}\n`);
process.exit();
