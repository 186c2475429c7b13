// Makes the component: node build.js [FILE.wasm]
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const file = process.argv[2] ?? here("../../target/examples/javascript.wasm");

const { component } = await componentize({
  sourcePath: here("router.js"),
  witPath: here("../../../wit/v0.2"),
  worldName: "router",
  // A policy has no use for any of them, and what is not there needs no trust.
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
});
await mkdir(dirname(file), { recursive: true });
await writeFile(file, component);
console.log(`${file}: ${component.length} bytes`);
