// Measures the import alone, in a fresh process.
const [name] = process.argv.slice(2);
const began = performance.now();
await import(name);
process.stdout.write(`${JSON.stringify({ ms: performance.now() - began })}\n`);
process.exit();
