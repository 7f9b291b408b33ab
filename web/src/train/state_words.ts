/** States of runs and names of networks, as people read them. */

const STATES: Record<string, string> = {
  stopped: "stopped; can be continued",
  "cut off": "interrupted; can be continued",
  "never begun": "did not start",
};

export const stateWords = (state: string): string => STATES[state] ?? state;

/** A run of which nothing was trained has nothing to go on with. */
export const canContinue = (state: string): boolean => ["stopped", "cut off", "failed"].includes(state);

export const isWorking = (state: string): boolean => ["running", "starting"].includes(state);

const NETWORKS: Record<string, string> = { deeplabv3plus: "DeepLabV3+", pspnet: "PSPNet" };

export const networkName = (arch: string | null): string => (arch ? (NETWORKS[arch] ?? arch) : "");
