// Formats the results, for a terminal and for a page.

import { tableOf } from "../table.mjs";
import { CLIENTS, FAULTS } from "./catalogue.mjs";

const OURS = "copilot-keyless";
const PLAIN = "azure_identity";
const PIPED = "azure_identity behind azure_core";
const COLUMNS = [OURS, PLAIN, PIPED];

/** The tokens that have no column. */
const OTHERS = {
  "copilot-keyless, TokenPolicy": "`azure_storage_blob` with `TokenPolicy`",
  object_store: "`object_store` with its own managed identity",
};

const number = (value) => value.toLocaleString("en");

/** Such as `51 of 51, 16 ms, 4 requests`. */
const cellOf = ({ served, calls, slowestMs, identity }) =>
  [
    `${served} of ${calls}`,
    ...(served > 0 ? [`${number(slowestMs)} ms`] : []),
    `${identity} ${identity === 1 ? "request" : "requests"}`,
  ].join(", ");

/** Returns a line for the terminal. */
export const lineOf = (row) =>
  `${row.fault.padEnd(9)} ${row.client.padEnd(19)} ${row.tokens.padEnd(33)} ${cellOf(row)}${row.lost > 0 ? `, ${row.lost} lost` : ""}`;

/** Returns the part of a page. */
export function pageOf({ machine, rows }) {
  const versions = Object.entries(machine.versions).map(([name, version]) => `\`${name}\` ${version}`);
  const where = `Measured on ${machine.platform}, ${machine.processor}, ${machine.cores} cores, in ${machine.seconds} s, with ${versions.join(", ")}.`;
  const played = FAULTS.filter(({ id }) => rows.some(({ fault }) => fault === id));
  return [summaryOf(rows), where, ...played.map((fault) => sectionOf(fault, rows))].join("\n\n");
}

/** All faults and clients together, where each has all three. */
function summaryOf(rows) {
  const sum = (tokens, key) =>
    rows
      .filter((row) => row.tokens === tokens && CLIENTS[row.client].includes(PLAIN))
      .reduce((total, row) => total + row[key], 0);
  const table = [
    ["calls lost that could be served", ...COLUMNS.map((tokens) => number(sum(tokens, "lost")))],
    [
      "calls served",
      ...COLUMNS.map((tokens) => `${number(sum(tokens, "served"))} of ${number(sum(tokens, "calls"))}`),
    ],
    ["requests to the identity endpoint", ...COLUMNS.map((tokens) => number(sum(tokens, "identity")))],
  ];
  return tableOf(table, ["`object_store`, `async-openai`, `reqwest`, `tower`", ...COLUMNS.map(heading)]);
}

function sectionOf({ id, title }, all) {
  const rows = all.filter(({ fault }) => fault === id);
  const found = (client, tokens) => rows.find((row) => row.client === client && row.tokens === tokens);
  const table = Object.keys(CLIENTS)
    .filter((client) => rows.some((row) => row.client === client))
    .map((client) => [
      `\`${client}\``,
      ...COLUMNS.map((tokens) => found(client, tokens)).map((row) => (row ? cellOf(row) : "-")),
    ]);
  const others = rows
    .filter(({ tokens }) => OTHERS[tokens])
    .map((row) => `${OTHERS[row.tokens]}: ${cellOf(row)}.`);
  const heads = ["client", ...COLUMNS.map(heading)];
  return `### ${title[0].toUpperCase()}${title.slice(1)} (\`${id}\`)\n\n${tableOf(table, heads)}\n\n${others.join("\n")}`;
}

const heading = (tokens) => tokens.replaceAll(/[a-z]+_[a-z]+/g, "`$&`");
