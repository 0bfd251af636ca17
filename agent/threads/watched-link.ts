import type { CentreLink } from '../../cloud-sync/timescale/centre-link.js';

/** Long before a query is given up. A server that hangs keeps its sessions, so that nothing else would tell until then. */
const SILENT_AFTER_MS = 15_000;

/** Says when the centre is asked and does not answer; whether it is over is told by the answer, or by the failure. */
export function watchedLink(link: CentreLink, onSilence: (detail: string) => void): CentreLink {
  const detail = `no answer in ${SILENT_AFTER_MS / 1_000} s, and still waiting`;
  return {
    async call(name, values, signal) {
      const timer = setTimeout(onSilence, SILENT_AFTER_MS, detail);
      try {
        return await link.call(name, values, signal);
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => link.close(),
  };
}
