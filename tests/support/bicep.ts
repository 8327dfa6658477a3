// Parses Bicep with a grammar of the language.

import { join } from "node:path";
import { Language, type Node, Parser } from "web-tree-sitter";
import { root } from "./process.js";

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(join(root, "node_modules/tree-sitter-bicep/tree-sitter-bicep.wasm")));

export function parsed(text: string): Node {
  const tree = parser.parse(text);
  if (!tree) throw new Error("Not parsed");
  return tree.rootNode;
}

/** Returns the nodes of a type, in the order of the text. */
export function all(type: string, node: Node): Node[] {
  return node.descendantsOfType(type).filter((found) => found !== null);
}
