// What a figure has to reach. `ratio` is always ours divided by what it is compared with: less is better.

const times = (ratio) => (ratio >= 10 ? String(Math.round(ratio)) : ratio.toFixed(1).replace(/\.0$/, ""));

/** So many times faster (or smaller, or fewer) than the peer. */
export const faster = (factor, word = "faster") => ({
  text: factor === 1 ? `no more than the peer` : `${factor} x ${word} than the peer`,
  reached: ({ ours, peer }) => ours * factor <= peer,
  shown: (ratio) => (ratio <= 1 ? `${times(1 / ratio)} x ${word}` : `${times(ratio)} x as much`),
});

/** At most so much of what it is compared with. */
export const ofPeer = (share, of) => ({
  text: `at most ${share.toFixed(share === 1 ? 1 : 2)} x ${of}`,
  reached: ({ ratio }) => ratio <= share,
  shown: (ratio) => `${ratio.toFixed(2)} x`,
});

/** At most this figure, whatever the peer's is. */
export const atMost = (most, unit) => ({
  text: `at most ${most.toLocaleString("en")} ${unit}`,
  reached: ({ ours }) => ours <= most,
});

/** At most this time; on a machine that is slower or busy, the same share of what the peer takes there. */
export const soonerThan = (ms, peerMs) => ({
  text: `at most ${ms} ms, or ${(ms / peerMs).toFixed(2)} x the peer on a slower machine`,
  reached: ({ ours, ratio }) => ours <= ms || ratio <= ms / peerMs,
  shown: faster(1).shown,
});
