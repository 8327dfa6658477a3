// Holds a conversation through the Copilot SDK and its runtime, on platforms that support it.

import { createClaimsChallengeHandler, createFoundryProvider, FoundryAgent } from "copilot-keyless";
import type { Case } from "../suite.js";
import { check } from "./check.js";

export const conversation: readonly Case[] = [
  [
    "Copilot SDK and runtime: a conversation by the agent",
    async ({ env, home }) => {
      const agent = new FoundryAgent({
        env,
        credential: "direct",
        client: { baseDirectory: home, workingDirectory: home },
        session: { availableTools: [] },
      });
      try {
        check((await agent.chat("Hello one")).includes("Hello one"), "another reply");
        const pieces: string[] = [];
        for await (const text of agent.stream("Hello two")) pieces.push(text);
        check(pieces.length > 1 && pieces.join("").includes("Hello two"), pieces.join("|"));
      } finally {
        await agent.close();
      }
    },
  ],
  [
    "Copilot SDK and runtime: `createClaimsChallengeHandler`",
    async ({ env }) => {
      const foundry = createFoundryProvider({ env, credential: "direct" });
      check(await createClaimsChallengeHandler(foundry), "no handler");
      foundry.close();
    },
  ],
];
