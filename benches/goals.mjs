// Goals of figures. `ratio` is always ours divided by the peer's: less is better.

const times = (ratio) => (ratio >= 10 ? String(Math.round(ratio)) : ratio.toFixed(1).replace(/\.0$/, ""));

/** At least this many times faster (or smaller, or fewer) than the peer. */
export const faster = (factor, word = "faster") => ({
  text: factor === 1 ? `no more than the peer` : `${factor} x ${word} than the peer`,
  reached: ({ ours, peer }) => ours * factor <= peer,
  shown: (ratio) => (ratio <= 1 ? `${times(1 / ratio)} x ${word}` : `${times(ratio)} x as much`),
});

/** At most this many times the peer's figure. */
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

/** At most this much more than the peer. */
export const atMostOver = (more, unit, of) => ({
  text: `at most ${more} ${unit} more than ${of}`,
  reached: ({ ours, peer }) => ours - peer <= more,
});

/** At most this time; on a slower or busy machine, the same share of the peer's time there. */
export const soonerThan = (ms, peerMs) => ({
  text: `at most ${ms} ms, or ${(ms / peerMs).toFixed(2)} x the peer on a slower machine`,
  reached: ({ ours, ratio }) => ours <= ms || ratio <= ms / peerMs,
  shown: faster(1).shown,
});
