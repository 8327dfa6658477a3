// Faults of the clock: it is set, or the machine sleeps. The resource and the identity endpoint
// keep the true time.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const CLOCK = [
  {
    id: "clock-back",
    title: "clock set back by 2 h",
    script: async (cell) => {
      await cell.call();
      await cell.advance(30 * MINUTE);
      await cell.setClock(-2 * HOUR);
      await cell.call();
      await cell.advance(40 * MINUTE);
      // The token has expired. MSAL goes by the wall clock, and returns it for two more hours.
      await cell.call();
    },
  },
  {
    id: "clock-forward",
    title: "clock set forward by 45 min",
    script: async (cell) => {
      await cell.call();
      await cell.setClock(45 * MINUTE);
      await cell.call();
      await cell.advance(30 * MINUTE);
      await cell.call();
    },
  },
  {
    id: "clock-ahead",
    title: "clock 2 h ahead of the truth",
    script: async (cell) => {
      await cell.call();
      await cell.setClock(2 * HOUR);
      await cell.call();
      await cell.advance(61 * MINUTE);
      await cell.call();
    },
  },
  {
    id: "clock-behind",
    title: "clock 2 h behind the truth",
    script: async (cell) => {
      await cell.setClock(-2 * HOUR);
      await cell.call();
      // Two tokens expire while this machine's clock gives each of them two more hours.
      await cell.advance(61 * MINUTE);
      await cell.call();
      await cell.advance(61 * MINUTE);
      await cell.call();
    },
  },
  {
    id: "suspend",
    title: "machine asleep for 3 h",
    script: async (cell) => {
      await cell.call();
      await cell.suspend(3 * HOUR);
      await cell.call();
      await cell.call();
    },
  },
  {
    id: "suspend-refreshing",
    title: "asleep for 3 h during a refresh",
    script: async (cell) => {
      await cell.call();
      await cell.advance(58.5 * MINUTE);
      const hang = cell.fault({ server: "identity", kind: "hang" });
      const during = cell.call();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      hang.remove();
      await cell.suspend(3 * HOUR);
      await during;
      await cell.call();
    },
  },
].map((fault) => ({ group: "clock", ...fault }));
